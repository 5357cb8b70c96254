import { makeContext } from '../context.js';
import type { DockOptions } from '../settings.js';
import { BOOTS_MAX } from '../settings.js';
import { type LogBoot, LogBoots } from './log-boots.js';

function someBoots(options: Partial<DockOptions> = {}): LogBoots {
  return new LogBoots(makeContext({ sn: 'DOCK', ...options }));
}

const indexesOf = (boots: readonly LogBoot[]): number[] => boots.map(({ bootIndex }) => bootIndex);
const lengthsOf = (boots: readonly LogBoot[]): number[] =>
  boots.flatMap(({ startMs, endMs }) => (endMs === undefined ? [] : [endMs - startMs]));

describe('the boots of a dock', () => {
  it('lie end to end before the present one, which is open', () => {
    const boots = someBoots({ logBytes: 700 }).of('3');
    expect(boots).toHaveLength(5);
    expect(boots.map(({ endMs }) => endMs)).toEqual([...boots.slice(1).map(({ startMs }) => startMs), undefined]);
    expect(boots.every(({ sizeBytes }) => sizeBytes === 700)).toBe(true);
    expect(indexesOf(boots)).toEqual(boots.map((_, age) => (boots[0]?.bootIndex ?? 0) + age));
  });

  it('follow from the seed, and differ between aircraft and dock', () => {
    const [one, same, other] = [someBoots({ seed: 7 }), someBoots({ seed: 7 }), someBoots({ seed: 8 })];
    expect(indexesOf(one.of('3'))).toEqual(indexesOf(same.of('3')));
    expect(lengthsOf(one.of('3'))).toEqual(lengthsOf(same.of('3')));
    expect(lengthsOf(one.of('3'))).not.toEqual(lengthsOf(other.of('3')));
    expect(lengthsOf(one.of('3'))).not.toEqual(lengthsOf(one.of('0')));
  });

  it('are as many as was asked for', () => {
    expect(someBoots({ logBoots: 1 }).of('0')).toHaveLength(1);
  });

  it('end when the next begins', () => {
    const boots = someBoots();
    const before = boots.of('3').at(-1);
    boots.begin('3');
    const [ended, present] = boots.of('3').slice(-2);
    expect(ended?.bootIndex).toBe(before?.bootIndex);
    expect(ended?.endMs).toBeGreaterThanOrEqual(before?.startMs ?? Infinity);
    expect(present).toMatchObject({ bootIndex: (before?.bootIndex ?? 0) + 1, endMs: undefined });
  });

  it('that have ended do not end again', () => {
    const boots = someBoots();
    boots.end('0');
    const ended = boots.of('0').at(-1);
    boots.end('0');
    expect(boots.of('0').at(-1)).toBe(ended);
  });

  it('are the newest when there are too many', () => {
    const boots = someBoots();
    const newest = boots.of('0').at(-1)?.bootIndex ?? 0;
    for (let flight = 0; flight < BOOTS_MAX; flight += 1) boots.begin('0');
    expect(boots.of('0')).toHaveLength(BOOTS_MAX);
    expect(boots.find('0', newest)).toBeUndefined();
    expect(boots.find('0', newest + BOOTS_MAX)).toBe(boots.of('0').at(-1));
  });
});
