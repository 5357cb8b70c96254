import { Prng } from '../prng.js';
import { LogArchive } from './log-archive.js';

const aBoot = (bootIndex: number, sizeBytes: number) => ({ bootIndex, sizeBytes, startMs: 0, endMs: undefined });
const bytesOf = (archive: LogArchive): Buffer => Buffer.concat([...archive.content()]);

describe('an archive of logs', () => {
  it('holds a file for each boot, and is as long as it says', () => {
    const archive = new LogArchive('3', [aBoot(41, 100), aBoot(42, 70_001)], new Prng(1));
    const bytes = bytesOf(archive);
    expect(bytes).toHaveLength(archive.sizeBytes);
    expect(bytes.toString('latin1', 0, 17)).toBe('module3_boot41.lo');
    expect(bytes.toString('latin1', 1_024, 1_042)).toBe('module3_boot42.log');
    // A header, a block for the first log; a header, 137 blocks for the second; the end.
    expect(archive.sizeBytes).toBe((1 + 1 + 1 + 137 + 2) * 512);
  });

  it('sums its headers up as tar does', () => {
    const header = bytesOf(new LogArchive('0', [aBoot(1, 8)], new Prng(1))).subarray(0, 512);
    const written = parseInt(header.toString('latin1', 148, 154), 8);
    header.fill(' ', 148, 156);
    expect(written).toBe(header.reduce((sum, byte) => sum + byte, 0));
    expect(parseInt(header.toString('latin1', 124, 135), 8)).toBe(8);
  });

  it('has the same bytes for the same seed, module and boots, and no others', () => {
    const make = (module: '0' | '3', bootIndex: number, seed: number): string =>
      bytesOf(new LogArchive(module, [aBoot(bootIndex, 64)], new Prng(seed)))
        .subarray(512, 576)
        .toString('hex');
    expect(make('3', 1, 5)).toBe(make('3', 1, 5));
    expect(new Set([make('3', 1, 5), make('0', 1, 5), make('3', 2, 5), make('3', 1, 6)]).size).toBe(4);
  });

  it('comes piece by piece', () => {
    const archive = new LogArchive('3', [aBoot(1, 1_000_000)], new Prng(1));
    expect(Math.max(...[...archive.content()].map(({ length }) => length))).toBe(65_536);
  });
});
