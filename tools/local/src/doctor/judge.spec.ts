import { type Finding, type Seen, type SeenProgram, isHealthy, judge, samplesIn } from './judge.js';

const AT = new Date('2026-12-01T00:00:00Z');
const IS_READY = { isReady: true, says: 'ready', clockAheadMs: 0 };
const aProgram = (parts: Partial<SeenProgram> = {}): SeenProgram => ({
  ...{ name: 'log-service', ready: IS_READY, samples: [] },
  ...parts,
});
const seen = (parts: Partial<Seen>): Seen => ({ at: AT, programs: [], servers: [], ...parts });
const complaintsOf = (parts: Partial<Seen>): Finding[] =>
  judge(seen(parts)).filter(({ verdict }) => verdict !== 'good');
const told = (name: string, value: number, labels: Readonly<Record<string, string>> = {}): Partial<Seen> => ({
  programs: [aProgram({ samples: [{ name, value, labels }] })],
});

it('finds nothing where all is well', () => {
  const upSince = new Date('2026-11-01T00:00:00Z');
  const findings = judge(
    seen({
      programs: [aProgram({ samples: [{ name: 'process_start_time_seconds', value: 0, labels: {} }] })],
      servers: [{ name: 'PostgreSQL', upSince, clockAheadMs: 12 }],
      storage: { isHealthy: true, failures: [] },
    }),
  );
  expect(findings.map(({ verdict }) => verdict)).toEqual(['good', 'good', 'good']);
  expect(findings[0]?.found).toBe('answers, up since 2026-11-01T00:00:00.000Z');
  expect(findings[1]?.found).toBe('is ready, up since 1970-01-01T00:00:00.000Z');
  expect(isHealthy(findings)).toBe(true);
});

it('names a server that cannot be used, and a program that does not answer, and what to do', () => {
  const findings = complaintsOf({
    programs: [aProgram({ ready: undefined, problem: 'connect ECONNREFUSED' })],
    servers: [{ name: 'NATS', problem: 'connection refused' }],
  });
  expect(findings).toMatchObject([
    {
      verdict: 'bad',
      what: 'NATS',
      found: 'cannot be used: connection refused',
      toDo: expect.stringContaining('Start NATS'),
    },
    {
      verdict: 'bad',
      what: 'log-service',
      found: 'does not answer: connect ECONNREFUSED',
      toDo: expect.stringContaining('log'),
    },
  ]);
  expect(isHealthy(findings)).toBe(false);
});

it.each([
  ['not ready: waiting for PostgreSQL', 'DATABASE_URL'],
  ['not ready: waiting for NATS', 'NATS_URL'],
  ['not ready: waiting for JetStream', 'NATS_URL'],
  ['not ready: waiting for the schema', 'migrate.js'],
  ['not ready', 'Look at its log'],
])('says what to do for a program that says: %s', (says, toDo) => {
  const [finding] = complaintsOf({ programs: [aProgram({ ready: { ...IS_READY, isReady: false, says } })] });
  expect(finding).toMatchObject({ verdict: 'bad', found: `says: ${says}`, toDo: expect.stringContaining(toDo) });
});

it.each([
  ['outbox_oldest_seconds', { service: 'log-service' }, 5, 20, 60],
  ['consumer_unhandled_messages', { consumer: 'log-uplinks' }, 10, 300, 1_000],
  ['sweep_behind_seconds', { chore: 'due' }, 0, 40, 200],
  ['stream_full_ratio', { stream: 'FACTS' }, 0.1, 0.7, 0.9],
  ['fleet_ingress_clock_ahead_seconds', {}, 0, 0.3, 0.6],
] as const)('judges %s', (metric, labels, well, some, much) => {
  expect(complaintsOf(told(metric, well, labels))).toEqual([]);
  expect(complaintsOf(told(metric, Number.NaN, labels))).toEqual([]);
  expect(complaintsOf(told(metric, some, labels))).toMatchObject([{ verdict: 'watch', what: metric }]);
  const [worst] = complaintsOf(told(metric, much, labels));
  expect(worst).toMatchObject({ verdict: 'bad', what: metric, toDo: expect.stringMatching(/\.$/) });
  for (const label of Object.values(labels)) expect(worst?.found).toContain(label);
});

it('takes the largest of what several programs tell', () => {
  const samples = [3, 500, 7].map((value) => ({
    name: 'consumer_unhandled_messages',
    labels: { consumer: `c${value}` },
    value,
  }));
  const findings = complaintsOf({ programs: samples.map((sample) => aProgram({ samples: [sample] })) });
  expect(findings.map(({ found }) => found)).toEqual(['lane c500 has 500 messages before it']);
});

it.each([
  [13, 'NATS_CA_FILE ends in 13 days'],
  [-1, 'NATS_CA_FILE has ended'],
])('says of a certificate with %d days left that it has to be made anew', (days, found) => {
  const labels = { service: 'log-service', setting: 'NATS_CA_FILE' };
  const value = AT.getTime() / 1_000 + days * 86_400 + 60;
  expect(complaintsOf(told('certificate_not_after_seconds', value, labels))).toMatchObject([{ verdict: 'bad', found }]);
  expect(complaintsOf(told('certificate_not_after_seconds', value + 2 * 86_400 * 10, labels))).toEqual([]);
});

it.each([600, -600])('finds a clock of a server that is %d ms away', (clockAheadMs) => {
  const [finding] = complaintsOf({ servers: [{ name: 'PostgreSQL', clockAheadMs }] });
  expect(finding).toMatchObject({ verdict: 'bad', toDo: expect.stringContaining('NTP') });
});

it('takes a risky setting for no reason to be called at night', () => {
  const findings = judge(seen({ servers: [{ name: 'PostgreSQL', risks: ['fsync is off'] }] }));
  expect(findings.map(({ verdict }) => verdict)).toEqual(['good', 'watch']);
  expect(isHealthy(findings)).toBe(true);
});

it('says what the storage lacks', () => {
  const storage = { isHealthy: false, failures: [{ found: 'no CORS', change: 'Allow PUT.' }] };
  expect(complaintsOf({ storage })).toEqual([
    { verdict: 'bad', what: 'storage', found: 'no CORS', toDo: 'Allow PUT.' },
  ]);
});

it('reads the text of Prometheus', () => {
  const text = '# HELP a A.\na 1\nb{stream="FACTS",service="x"} 0.5\nc{le="+Inf"} +Inf\nd NaN\n';
  expect(samplesIn(text)).toEqual([
    { name: 'a', labels: {}, value: 1 },
    { name: 'b', labels: { stream: 'FACTS', service: 'x' }, value: 0.5 },
    { name: 'c', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY },
    { name: 'd', labels: {}, value: Number.NaN },
  ]);
});
