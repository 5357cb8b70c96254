import { parseFaults } from './fault-words.js';
import { FaultPlan } from './faults.js';
import { Prng } from './prng.js';

function aPlan(spec: string, seed = 1): FaultPlan {
  const plan = new FaultPlan(new Prng(seed));
  plan.set(spec);
  return plan;
}

describe('reading faults', () => {
  it.each([
    ['silent', { kind: 'silent', probability: 1 }],
    ['silent=flighttask_prepare', { kind: 'silent', probability: 1, method: 'flighttask_prepare' }],
    ['drop-reply:flighttask_execute', { kind: 'drop-reply', probability: 1, method: 'flighttask_execute' }],
    ['slow-reply=5s', { kind: 'slow-reply', probability: 1, delayMs: 5_000 }],
    [
      'slow-reply:flighttask_execute=250ms',
      { kind: 'slow-reply', probability: 1, method: 'flighttask_execute', delayMs: 250 },
    ],
    [
      'refuse:flighttask_execute=319016',
      { kind: 'refuse', probability: 1, method: 'flighttask_execute', code: 319016 },
    ],
    ['duplicate@0.3', { kind: 'duplicate', probability: 0.3 }],
    ['clock-skew=-30s', { kind: 'clock-skew', probability: 1, skewMs: -30_000, eitherSign: false }],
    ['clock-skew=±2m', { kind: 'clock-skew', probability: 1, skewMs: 120_000, eitherSign: true }],
    ['reboot=flying', { kind: 'reboot', probability: 1, at: 'flying' }],
    ['offline=prepared:10s', { kind: 'offline', probability: 1, at: 'prepared', forMs: 10_000 }],
    ['offline=10s', { kind: 'offline', probability: 1, at: 'online', forMs: 10_000 }],
    ['twice-reply', { kind: 'twice-reply', probability: 1 }],
    ['twice-reply:return_home', { kind: 'twice-reply', probability: 1, method: 'return_home' }],
    [
      'twice-reply:flighttask_execute=319016',
      { kind: 'twice-reply', probability: 1, method: 'flighttask_execute', code: 319016 },
    ],
    ['emergency-stop', { kind: 'emergency-stop', probability: 1 }],
    ['takeover=flying', { kind: 'takeover', probability: 1, at: 'flying' }],
    ['mute=prepared', { kind: 'mute', probability: 1, at: 'prepared' }],
    ['forget=online@0.5', { kind: 'forget', probability: 0.5, at: 'online' }],
    ['rtk-slow', { kind: 'rtk-slow', probability: 1, convergesAfterMs: 240_000 }],
    ['rtk-slow=90s', { kind: 'rtk-slow', probability: 1, convergesAfterMs: 90_000 }],
    ['reboot=exporting', { kind: 'reboot', probability: 1, at: 'exporting' }],
    ['aircraft-off', { kind: 'aircraft-off', probability: 1 }],
    ['log-short@0.5', { kind: 'log-short', probability: 0.5 }],
    ['fail=321517@0.5', { kind: 'fail', probability: 0.5, code: 321517 }],
  ])('takes %s', (spec, fault) => {
    expect(parseFaults(spec)).toEqual([fault]);
  });

  it('takes a list with blanks', () => {
    expect(parseFaults(' slow-reply=5s, duplicate ,').map(({ kind }) => kind)).toEqual(['slow-reply', 'duplicate']);
  });

  it.each([
    'lazy',
    'slow-reply',
    'slow-reply=soon',
    'refuse=0',
    'duplicate=2',
    'duplicate@0',
    'duplicate@2',
    'reboot=never',
    'offline=prepared',
    'fail=12',
    'clock-skew=30',
    'silent:Not A Method',
    'takeover=prepared',
    'mute=ended',
    'forget',
    'twice-reply=319016x',
    'emergency-stop=1',
    'log-half=1',
    'takeover=exporting',
    'mute=exporting',
    'rtk-slow=soon',
  ])('refuses %s and names it', (spec) => {
    expect(() => parseFaults(spec)).toThrow(spec);
  });
});

describe('a plan of faults', () => {
  it('lets the fault that names the method win over the one for all', () => {
    const plan = aPlan('slow-reply=1s,slow-reply:return_home=9s');
    expect(plan.fateOf('return_home').replyDelayMs).toBe(9_000);
    expect(plan.fateOf('flighttask_pause').replyDelayMs).toBe(1_000);
  });

  it('replaces a fault of the same kind and method', () => {
    const plan = aPlan('refuse=319016');
    plan.set('refuse=319001');
    expect(plan.fateOf('any').refusedWith).toBe(319001);
  });

  it('leaves a dock alone once cleared', () => {
    const plan = aPlan('silent,clock-skew=30s,fail=321517');
    plan.clear();
    expect([plan.fateOf('any').ignored, plan.skewMs(), plan.failure()]).toEqual([false, 0, undefined]);
  });

  it('strikes a flight once, or a dock could reboot for ever', () => {
    const plan = aPlan('reboot=prepared');
    expect(plan.at('prepared', 'a')).toHaveLength(1);
    expect(plan.at('prepared', 'a')).toHaveLength(0);
    expect(plan.at('prepared', 'b')).toHaveLength(1);
  });

  it('gives a second answer that says something else, or what it was told', () => {
    const second = (spec: string, first: number): number | undefined => aPlan(spec).fateOf('any').secondReply?.(first);
    expect([second('twice-reply', 0), second('twice-reply', 319016)]).toEqual([319002, 0]);
    expect(second('twice-reply:any=319001', 0)).toBe(319001);
    expect(second('twice-reply:other', 0)).toBeUndefined();
  });

  it('holds an emergency stop pressed until it is cleared', () => {
    const plan = aPlan('emergency-stop');
    expect(plan.emergencyStopPressed).toBe(true);
    plan.clear();
    expect(plan.emergencyStopPressed).toBe(false);
  });

  it('draws for each export of logs, and for the aircraft once', () => {
    const plan = aPlan('log-half@0.5,log-short,aircraft-off');
    const draws = Array.from({ length: 50 }, () => plan.logFaults());
    expect(draws.every((kinds) => kinds.has('log-short') && !kinds.has('log-elsewhere'))).toBe(true);
    expect(new Set(draws.map((kinds) => kinds.has('log-half'))).size).toBe(2);
    expect(plan.aircraftOff).toBe(true);
    plan.clear();
    expect([plan.aircraftOff, plan.logFaults().size]).toEqual([false, 0]);
  });

  it('strikes again when it is set again', () => {
    const plan = aPlan('offline=flying:1s');
    plan.at('flying', 'a');
    plan.set('offline=flying:1s');
    expect(plan.at('flying', 'a')).toHaveLength(1);
  });

  it('strikes as often as its probability says, and the same way for the same seed', () => {
    const pattern = (seed: number): boolean[] => {
      const plan = aPlan('duplicate@0.3', seed);
      return Array.from({ length: 1_000 }, () => plan.duplicates());
    };
    expect(pattern(9)).toEqual(pattern(9));
    const hits = pattern(9).filter(Boolean).length;
    expect(hits).toBeGreaterThan(250);
    expect(hits).toBeLessThan(350);
  });
});
