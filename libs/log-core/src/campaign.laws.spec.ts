import { RUNS, RUNS_TIMEOUT_MS } from '@aerie/property-testing';
import fc from 'fast-check';
import { type Campaign, type CampaignStep, type Tally, nextStep, opensAtMs } from './campaign.js';

const MINUTE_MS = 60_000;
const NOON = 1_900_000_000_000;

const law = (name: string, property: fc.IRawProperty<unknown>): void =>
  it(name, () => void fc.assert(property, RUNS), RUNS_TIMEOUT_MS);

const minute = fc.integer({ min: 0, max: 1_439 });
const anyHours = fc.option(fc.record({ fromMinute: minute, untilMinute: minute }));
const anyCampaign: fc.Arbitrary<Campaign> = fc.record({
  state: fc.constant('running' as const),
  pace: fc.record({
    docksPerMinute: fc.integer({ min: 1, max: 600 }),
    concurrent: fc.integer({ min: 1, max: 20 }),
    bytesPerSecond: fc.option(fc.constant(1_000)),
  }),
  hours: fc.constant(null),
  threshold: fc.record({
    failedPercent: fc.integer({ min: 0, max: 100 }),
    afterDocks: fc.integer({ min: 1, max: 20 }),
  }),
  forgiven: fc.constant({ done: 0, failed: 0 }),
  nextStartMs: fc.constant(NOON),
  untilMs: fc.option(fc.integer({ min: NOON, max: NOON + 10 * MINUTE_MS })),
});

/** How one look goes: how late it is, what has become of docks meanwhile, and how fast all are. */
interface Look {
  readonly lateMs: number;
  readonly ended: number;
  readonly failed: number;
  readonly bytesPerSecond: number;
}
const anyLook: fc.Arbitrary<Look> = fc.record({
  lateMs: fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(90_000)),
  ended: fc.nat(5),
  failed: fc.nat(5),
  bytesPerSecond: fc.nat(2_000),
});
const anyLooks = fc.array(anyLook, { maxLength: 30 });

interface Seen {
  readonly nowMs: number;
  readonly campaign: Campaign;
  readonly tally: Tally;
  readonly step: CampaignStep;
}

/** Runs a campaign of `docks` docks through these looks; after them all docks end at once and succeed. */
function run(begin: Campaign, docks: number, looks: readonly Look[]): Seen[] {
  let campaign = begin;
  let nowMs = NOON;
  let tally: Tally = { waiting: docks, running: 0, done: 0, failed: 0, bytesPerSecond: 0 };
  const seen: Seen[] = [];
  for (let turn = 0; turn < looks.length + 3 * docks + 1_000; turn++) {
    const look = looks[turn] ?? { lateMs: 0, ended: tally.running, failed: 0, bytesPerSecond: 0 };
    const ended = Math.min(look.ended, tally.running);
    const failed = Math.min(look.failed, ended);
    tally = {
      ...{ waiting: tally.waiting, running: tally.running - ended, bytesPerSecond: look.bytesPerSecond },
      ...{ done: tally.done + ended - failed, failed: tally.failed + failed },
    };
    const step = nextStep(campaign, tally, nowMs);
    seen.push({ nowMs, campaign, tally, step });
    if (step.kind === 'end') return seen;
    if (step.kind === 'start') {
      campaign = { ...campaign, nextStartMs: step.nextStartMs };
      tally = { ...tally, waiting: tally.waiting - step.docks, running: tally.running + step.docks };
    }
    nowMs = step.nextActionAtMs + look.lateMs;
  }
  throw new Error('a campaign did not end');
}

const startsOf = (seen: readonly Seen[]): { atMs: number; docks: number }[] =>
  seen.flatMap(({ nowMs, step }) => (step.kind === 'start' ? [{ atMs: nowMs, docks: step.docks }] : []));
const someDocks = fc.nat(30);

describe('the laws of campaigns', () => {
  law(
    'never lets more docks export at once than may',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const running = run(campaign, docks, looks).map(
        ({ tally, step }) => tally.running + (step.kind === 'start' ? step.docks : 0),
      );
      expect(Math.max(...running)).toBeLessThanOrEqual(campaign.pace.concurrent);
    }),
  );

  law(
    'never begins more docks than its pace allows in any minute, but for one',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const starts = startsOf(run(campaign, docks, looks));
      const inMinutes = starts.map(({ atMs: fromMs }) =>
        starts
          .filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + MINUTE_MS)
          .reduce((sum, start) => sum + start.docks, 0),
      );
      expect(Math.max(0, ...inMinutes)).toBeLessThanOrEqual(campaign.pace.docksPerMinute + 1);
    }),
  );

  law(
    'never begins more than two docks at once, nor more in any span than fit into it and two',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const starts = startsOf(run(campaign, docks, looks));
      const gapMs = MINUTE_MS / campaign.pace.docksPerMinute;
      const wrong = starts.filter(({ atMs: fromMs }, index) => {
        let sum = 0;
        return starts.slice(index).some((start) => {
          sum += start.docks;
          // A thousandth for what sums of fractions lose.
          return sum > Math.floor((start.atMs - fromMs) / gapMs + 0.001) + 2;
        });
      });
      expect(wrong).toEqual([]);
    }),
  );

  law(
    'begins at least one dock whenever it begins any, and none that is not there',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const wrong = run(campaign, docks, looks).filter(
        ({ tally, step }) => step.kind === 'start' && (step.docks < 1 || step.docks > tally.waiting),
      );
      expect(wrong).toEqual([]);
    }),
  );

  law(
    'ends once nothing is left, and not before unless too many failed or its time is over',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const seen = run(campaign, docks, looks);
      const isLeft = ({ tally }: Seen): boolean => tally.waiting + tally.running > 0;
      const goesOn = seen.filter((look) => !isLeft(look) && look.step.kind !== 'end');
      const givesUp = seen.filter((look) => isLeft(look) && look.step.kind === 'end' && look.step.state !== 'stopped');
      expect([...goesOn, ...givesUp]).toEqual([]);
    }),
  );

  law(
    'stops at the first look at which too many have failed',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const { failedPercent, afterDocks } = campaign.threshold;
      const wrong = run(campaign, docks, looks).filter(({ tally, step }) => {
        const ended = tally.done + tally.failed;
        const isTooMany = ended >= afterDocks && tally.failed * 100 > failedPercent * ended;
        return isTooMany !== (step.kind === 'end' && step.cause === 'too_many_failed');
      });
      expect(wrong).toEqual([]);
    }),
  );

  law(
    'begins no dock when its time is over',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const starts = startsOf(run(campaign, docks, looks));
      expect(starts.filter(({ atMs }) => atMs >= (campaign.untilMs ?? Infinity))).toEqual([]);
    }),
  );

  law(
    'is looked at again soon, and never at once when it waits',
    fc.property(anyCampaign, someDocks, anyLooks, (campaign, docks, looks) => {
      const wrong = run(campaign, docks, looks).filter(({ nowMs, step }) => {
        if (step.kind === 'end') return false;
        // Docks that were held back by others may begin at once; each look begins at least one.
        const isTooSoon = step.nextActionAtMs < nowMs || (step.kind === 'wait' && step.nextActionAtMs === nowMs);
        return isTooSoon || step.nextActionAtMs > nowMs + MINUTE_MS;
      });
      expect(wrong).toEqual([]);
    }),
  );

  law(
    'opens within a day, at a minute at which docks may begin',
    fc.property(anyHours, fc.nat(10 * 1_440 * MINUTE_MS), (hours, afterMs) => {
      const nowMs = NOON + afterMs;
      const opensMs = opensAtMs(hours, nowMs);
      expect(opensMs).toBeGreaterThanOrEqual(nowMs);
      expect(opensMs - nowMs).toBeLessThanOrEqual(1_440 * MINUTE_MS);
      expect(opensAtMs(hours, opensMs)).toBe(opensMs);
    }),
  );
});
