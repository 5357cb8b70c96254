import { testEnvironment } from './environment.js';

it('fails with the name of the variable that is missing', () => {
  const { AERIE_TEST_DATABASE_URL: before } = process.env;
  delete process.env['AERIE_TEST_DATABASE_URL'];
  try {
    expect(testEnvironment).toThrow('AERIE_TEST_DATABASE_URL is not set');
  } finally {
    if (before !== undefined) process.env['AERIE_TEST_DATABASE_URL'] = before;
  }
});
