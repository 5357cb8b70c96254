import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
/** As package.json calls them: `start`, `bench-herd`, … */
const commands = Object.values(scripts)
  .map((script) => /^node tools\/bootstrap\.mjs (\S+)$/.exec(script)?.[1])
  .filter((name) => name !== undefined);

interface Usage {
  answerAtOnce(root: string, name: string, args: readonly string[]): { code: number; text: string } | undefined;
}

let usage: Usage;
beforeAll(async () => {
  // No part of what is compiled: Node runs it before there is anything compiled.
  usage = (await import(pathToFileURL(path.join(root, 'tools/usage.mjs')).href)) as Usage;
});
const answer = (name = '', ...args: string[]) => usage.answerAtOnce(root, name, args);

it.each(commands)('%s --help says how it is used, before anything is built', (command) => {
  expect(answer(command, '--help')).toMatchObject({ code: 0, text: expect.stringContaining('Usage: npm ') });
});

it.each(commands.filter((name) => !name.startsWith('test-')))(
  '%s refuses an option that it does not have, before anything is built',
  (command) => {
    expect(answer(command, '--nosuch')).toMatchObject({ code: 2, text: expect.stringContaining('--nosuch') });
  },
);

it('refuses a test pattern that fits no test file, instead of setting up everything for nothing', () => {
  expect(answer('test', 'nosuch')).toMatchObject({ code: 2, text: expect.stringContaining('"nosuch" is neither') });
  expect(answer('test', 'unit', 'stores.scenario')).toMatchObject({ code: 2 });
  expect(answer('test', 'unit', 'usage')).toBeUndefined();
  expect(answer('test', 'scenario', 'stores')).toBeUndefined();
  expect(answer('test', 'int', 'persistence|mission-service/dist')).toBeUndefined();
});

it.each([
  ['start', '--port', '0'],
  ['start', '--speed', 'fast'],
  ['sim', '--register', 'many'],
  ['bench-herd', '--missions', '5001'],
  ['test-deep', 'often'],
])('refuses %s %s %s with the bounds', (...args) => {
  expect(answer(...args)).toMatchObject({ code: 2, text: expect.stringContaining('must be a whole number from') });
});

it.each([
  ['npm_config_fresh', 'true', '--fresh'],
  ['npm_config_keep_key', 'true', '--keep-key'],
  ['npm_config_flight', '', '--no-flight'],
])('says when npm has taken an option for its own: %s', (name, value, option) => {
  process.env[name] = value;
  try {
    expect(answer('start')).toMatchObject({ code: 2, text: expect.stringContaining(`npm start -- ${option}`) });
  } finally {
    delete process.env[name];
  }
});

it('takes options of jest that mean something, with their value behind an equals sign', () => {
  expect(answer('test', 'unit', 'usage', '--testNamePattern=refuses', '--runInBand')).toBeUndefined();
  expect(answer('test', 'unit', '-t', 'refuses')).toMatchObject({
    text: expect.stringContaining('--testNamePattern=VALUE'),
  });
});

it('names the option that a word without dashes may have meant', () => {
  expect(answer('start', 'fresh')).toMatchObject({ code: 2, text: expect.stringContaining('did you mean --fresh?') });
});

it('refuses a file too much, and one that is missing', () => {
  expect(answer('inspect')).toMatchObject({ code: 2, text: expect.stringContaining('FILE is missing') });
  expect(answer('replay', 'a', 'b')).toMatchObject({ code: 2, text: expect.stringContaining('"b" is too much') });
  expect(answer('inspect', '-')).toBeUndefined();
});
