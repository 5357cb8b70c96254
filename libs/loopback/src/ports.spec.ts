import { freePorts } from './ports.js';

it('gives no port twice, though nobody listens there yet', async () => {
  const drawn = (await Promise.all([freePorts(100), freePorts(100)])).flat();

  expect(new Set(drawn).size).toBe(200);
});
