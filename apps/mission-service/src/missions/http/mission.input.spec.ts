import { InvalidError } from '@aerie/kernel';
import { newMission, newMissionOfKinds, readMissionQuery, readNewMission, readReschedule } from './mission.input.js';

const NOW_MS = Date.UTC(2030, 0, 1, 12);
const IMMEDIATE = {
  ...{ dockSn: 'DOCK-1', waylineId: '0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11' },
  ...{ kind: 'immediate', rthAltitudeMeters: 80 },
};
const TIMED = { ...IMMEDIATE, kind: 'timed', executeAt: NOW_MS + 3_600_000 };
const CONDITIONAL = { ...IMMEDIATE, kind: 'conditional', window: { from: NOW_MS, until: NOW_MS + 3_600_000 } };

const problemsOf = (body: object): InvalidError['fields'] => problemsIn(() => readNewMission(body, NOW_MS));

function problemsIn(read: () => unknown): InvalidError['fields'] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.fields;
    throw error;
  }
}

describe('a new mission', () => {
  it.each([5_000, 300_000])('that is immediate may have to start within %d ms', (startWithinMs) => {
    expect(readNewMission({ ...IMMEDIATE, startWithinMs }, NOW_MS).timing).toEqual({ startWithinMs });
  });

  it.each([4_999, 300_001, 6_000.5, '6000', null])(
    'is refused with startWithinMs %p, which is told with its range',
    (sent) => {
      expect(problemsOf({ ...IMMEDIATE, startWithinMs: sent })).toEqual([
        {
          field: 'startWithinMs',
          message: `must be a whole number of milliseconds from 5000 to 300000, not ${JSON.stringify(sent)}`,
        },
      ]);
    },
  );

  it.each([
    ['immediate', IMMEDIATE, ['executeLeadMs', 'prepareLeadMs']],
    ['timed', TIMED, ['startWithinMs']],
    ['conditional', CONDITIONAL, ['startWithinMs', 'startWindowMs', 'executeLeadMs']],
  ])('that is %s is refused with a rule of time that would be ignored', (_kind, body, refused) => {
    const rules = { startWithinMs: 6_000, startWindowMs: 6_000, executeLeadMs: 6_000, prepareLeadMs: 6_000 };
    expect(problemsOf({ ...body, ...rules }).map(({ field }) => field)).toEqual(refused);
    expect(problemsOf(body)).toEqual([]);
  });
});

describe('the described forms of a new mission', () => {
  const bodies = [IMMEDIATE, TIMED, CONDITIONAL];
  const ofKinds = { executeAt: NOW_MS + 3_600_000, window: CONDITIONAL.window };
  const rules = { startWithinMs: 6_000, startWindowMs: 6_000, executeLeadMs: 6_000, prepareLeadMs: 6_000 };

  it.each(bodies)('have the members that the check takes, and no others: $kind', (body) => {
    expect(newMissionOfKinds.safeParse(body).success).toBe(true);
    for (const [name, value] of Object.entries({ ...ofKinds, ...rules })) {
      const sent = { ...body, [name]: value };
      expect([name, newMissionOfKinds.safeParse(sent).success]).toEqual([name, problemsOf(sent).length === 0]);
    }
  });

  it.each(bodies)('need the members that the check needs: $kind', (body) => {
    for (const name of Object.keys(body)) {
      const { [name as 'kind']: _left, ...sent } = body;
      expect([name, newMissionOfKinds.safeParse(sent).success, problemsOf(sent).length]).toEqual([
        ...[name, false, expect.any(Number)],
      ]);
      expect(problemsOf(sent)).not.toEqual([]);
    }
  });

  it('have every member of a new mission', () => {
    const members = newMissionOfKinds.options.flatMap(({ shape }) => Object.keys(shape));
    expect(new Set(members)).toEqual(new Set(Object.keys(newMission.shape)));
  });
});

describe('an instant', () => {
  const read = (executeAt: unknown) => readNewMission({ ...TIMED, executeAt }, NOW_MS).executeAtMs;

  it.each([
    ['2030-01-02T08:30:00Z', '2030-01-02T08:30:00.000Z'],
    ['2030-01-02t08:30:00.5z', '2030-01-02T08:30:00.500Z'],
    ['2030-01-02T08:30Z', '2030-01-02T08:30:00.000Z'],
    ['2030-01-02T08:30:00-00:00', '2030-01-02T08:30:00.000Z'],
    ['2030-01-03T08:30:00+23:59', '2030-01-02T08:31:00.000Z'],
    ['2030-02-28T23:59:59.999999999-08:00', '2030-03-01T07:59:59.999Z'],
  ])('is read from %s as RFC 3339 says', (sent, meant) => {
    expect(new Date(read(sent) ?? NaN).toISOString()).toBe(meant);
  });

  it('may be the 29th of February in a leap year alone', () => {
    const from = '2028-02-29T12:00:00Z';
    expect(readMissionQuery({ from }).filter.fromMs).toBe(Date.parse(from));
    expect(problemsIn(() => readMissionQuery({ from: '2030-02-29T12:00:00Z' }))).toMatchObject([{ field: 'from' }]);
  });

  it.each(['2030-02-30T10:00:00Z', '2030-04-31T10:00:00+02:00', '2030-01-02T24:00:00Z', '2030-01-02t24:00z'])(
    'that does not exist is refused and not moved to another day: %s',
    (executeAt) => {
      const message = `is not a date and time that exists; sent was "${executeAt}"`;
      const problem = [{ field: 'executeAt', message }];
      expect(problemsOf({ ...TIMED, executeAt })).toEqual(problem);
      expect(problemsIn(() => readReschedule({ executeAt }, NOW_MS))).toEqual(problem);
    },
  );
});
