import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assemble } from './assemble.js';

const root = path.resolve(import.meta.dirname, '../../../..');
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'aerie-assemble-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What a program says that was given no setting. It has loaded all that it is made of by then. */
function started(program: string) {
  const main = path.join(directory, 'apps', program, 'dist', 'main.js');
  return spawnSync(process.execPath, [main], { encoding: 'utf8', env: { PATH: process.env['PATH'] }, timeout: 30_000 });
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).map(({ parentPath, name }) =>
    path.join(parentPath, name),
  );

it.each(['mission-service', 'edge'])(
  '%s starts from its assembled folder alone, as far as the settings that it lacks',
  (program) => {
    assemble(root, program, directory);
    expect(started(program).stderr).toContain('the configuration cannot be used');
  },
);

it('leaves out tests, types and development packages, and keeps what programs load by name', () => {
  const folders = assemble(root, 'mission-service', directory);
  const files = filesOf(directory);
  const own = [...filesOf(path.join(directory, 'apps')), ...filesOf(path.join(directory, 'libs'))];
  expect(own.filter((file) => /\.spec\.js$|[/\\](?:testing|fixtures)$/.test(file))).toEqual([]);
  expect(files.filter((file) => /\.d\.ts$|\.map$/.test(file))).toEqual([]);
  expect(folders).not.toContain('node_modules/jest');
  expect(folders).not.toContain('libs/testing');
  expect(folders).toEqual(
    expect.arrayContaining(['libs/kernel', 'node_modules/pg', 'node_modules/@grpc/proto-loader']),
  );
  expect(files.some((file) => file.endsWith('kmz.worker.js'))).toBe(true);
  expect(files.some((file) => file.endsWith('.proto'))).toBe(true);
});
