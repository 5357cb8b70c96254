import { startAll } from './start-all.js';

let closed: string[];
beforeEach(() => (closed = []));
const closing = (name: string) => async () => {
  await Promise.resolve();
  closed.push(name);
};

it('closes what was opened last first, and once', async () => {
  const { url, stop } = await startAll(async (closers) => {
    closers.push(closing('database'), closing('server'));
    return { url: 'irrelevant' };
  });
  expect([url, closed]).toEqual(['irrelevant', []]);
  await stop();
  await stop();
  expect(closed).toEqual(['server', 'database']);
});

it('closes what was opened when the rest fails to open', async () => {
  const starting = startAll(async (closers) => {
    closers.push(closing('database'));
    throw new Error('the port is taken');
  });
  await expect(starting).rejects.toThrow('the port is taken');
  expect(closed).toEqual(['database']);
});
