import { createHash } from 'node:crypto';
import * as contract from './index.js';
import {
  CONSUMERS,
  type Owner,
  type Question,
  RETIRED_CONSUMERS,
  STREAMS,
  TOPOLOGY,
  deadLetterSubject,
  factSubject,
  isBulk,
  overflowSubject,
  overflowSubjectsOf,
  overflowedSubject,
  subjectMatches,
  uplinkSubjects,
} from './index.js';

const OWNERS: readonly Owner[] = ['mission', 'fleet', 'log', 'credential', 'none', 'any'];
const streamsOf = (subject: string): string[] =>
  STREAMS.filter(({ subjects }) => subjects.some((filter) => subjectMatches(filter, subject))).map(({ name }) => name);
const questions = (Object.values(contract) as unknown[]).filter(
  (entry): entry is Question<unknown, unknown> => typeof entry === 'object' && entry !== null && 'ask' in entry,
);

const KINDS = ['events', 'requests', 'replies', 'status', 'state'] as const;
const takersOf = (subject: string) =>
  CONSUMERS.filter(({ filterSubjects }) => filterSubjects.some((filter) => subjectMatches(filter, subject)));

describe('subjects', () => {
  it.each([
    ['mission', 'events', ['DOCK']],
    ['mission', 'replies', ['DOCK']],
    ['fleet', 'status', ['DOCK']],
    ['fleet', 'requests', ['DOCK']],
    ['fleet', 'events', ['BULK_FLEET']],
    ['fleet', 'state', ['DOCK']],
    ['none', 'requests', ['BULK_FLEET']],
    ['log', 'events', ['BULK_LOG']],
    ['log', 'replies', ['BULK_LOG']],
    ['credential', 'requests', ['BULK_CREDENTIAL']],
    ['any', 'replies', ['DOCK', 'BULK_LOG']],
  ] as const)('put %s %s into one stream of each reader: %j', (owner, kind, streams) => {
    expect(uplinkSubjects(owner, 'DOCK-1', kind, 'any_method').map(streamsOf)).toEqual(streams.map((name) => [name]));
  });

  it('give each kind of uplink of each owner to exactly one consumer, because interest retention drops what nobody wants', () => {
    const subjects = OWNERS.flatMap((owner) => KINDS.flatMap((kind) => uplinkSubjects(owner, 'DOCK-1', kind, null)));
    expect(subjects.filter((subject) => takersOf(subject).length !== 1)).toEqual([]);
  });

  it('give nothing in the stream of flights to log-service or credential-service, and nothing of theirs to others', () => {
    const subjects = OWNERS.flatMap((owner) => KINDS.flatMap((kind) => uplinkSubjects(owner, 'DOCK-1', kind, null)));
    const readers = (wanted: boolean) =>
      new Set(
        subjects
          .filter((subject) => isBulk(subject) !== wanted)
          .flatMap((subject) => takersOf(subject).map(({ service }) => service)),
      );
    expect([readers(true), readers(false)]).toEqual([
      new Set(['mission', 'fleet']),
      new Set(['fleet', 'log', 'credential']),
    ]);
    // Nor does a consumer that they had in the release before want anything that this one stores.
    const wanted = RETIRED_CONSUMERS.flatMap(({ service, filterSubjects }) =>
      service === 'fleet' ? [] : filterSubjects,
    );
    expect(subjects.filter((subject) => wanted.some((filter) => subjectMatches(filter, subject)))).toEqual([]);
  });

  it('give requests, and replies to commands that are waited for, to other consumers than events', () => {
    const takers = (owner: Owner, kind: Parameters<typeof uplinkSubjects>[2]): string[] =>
      uplinkSubjects(owner, 'DOCK-1', kind, 'any_method')
        .flatMap(takersOf)
        .map(({ durable }) => durable);
    const apart = [
      ...(['mission', 'log', 'credential'] as const).map((owner) => [owner, 'requests'] as const),
      ...(['mission', 'log'] as const).map((owner) => [owner, 'replies'] as const),
    ];
    for (const [owner, kind] of apart) {
      const events = takers(owner, 'events');
      expect(takers(owner, kind).filter((durable) => events.includes(durable))).toEqual([]);
    }
    expect([takers('fleet', 'requests'), takers('fleet', 'state')]).toEqual([['fleet-requests'], ['fleet-state']]);
  });

  it('put what a bulk stream refused into the overflow only, from where its subject is found again', () => {
    const [bulk = ''] = uplinkSubjects('log', 'DOCK-1', 'events', 'fileupload_progress');
    expect(streamsOf(overflowSubject(bulk))).toEqual(['OVERFLOW']);
    expect(overflowedSubject(overflowSubject(bulk))).toBe(bulk);
    expect(subjectMatches(overflowSubjectsOf('DOCK-1'), overflowSubject(bulk))).toBe(true);
    expect(subjectMatches(overflowSubjectsOf('DOCK-2'), overflowSubject(bulk))).toBe(false);
  });

  it('put a dead letter into stream DEAD only', () => {
    expect(streamsOf(deadLetterSubject('DOCK-1'))).toEqual(['DEAD']);
  });

  it('put a fact of ours into stream FACTS only', () => {
    expect(streamsOf(factSubject('mission', 'org', 'started'))).toEqual(['FACTS']);
  });

  it('keep telemetry out of every stream', () => {
    expect(streamsOf(contract.rawOsdSubject('DOCK-1'))).toEqual([]);
    expect(streamsOf(contract.osdSubject('DOCK-1'))).toEqual([]);
  });
});

describe('a filter', () => {
  it.each([
    ['a.b', 'a.b'],
    ['a.*', 'a.b'],
    ['a.*', 'a.*'],
    ['a.>', 'a.b'],
    ['a.>', 'a.b.c'],
    ['a.>', 'a.*.c'],
    ['a.>', 'a.>'],
    ['a.*.>', 'a.b.>'],
  ])('%s matches all that %s matches', (filter, pattern) => expect(subjectMatches(filter, pattern)).toBe(true));

  it.each([
    ['a.b', 'a'],
    ['a.b', 'a.b.c'],
    ['a.b', 'a.*'],
    ['a.*', 'a.>'],
    ['a.*', 'a.b.c'],
    ['a.>', 'a'],
    ['a.*.c', 'a.>'],
    ['b.>', 'a.b'],
  ])('%s does not match all that %s matches', (filter, pattern) => expect(subjectMatches(filter, pattern)).toBe(false));
});

describe('questions', () => {
  it('are asked on a subject of their own', () => {
    expect(new Set(questions.map(({ subject }) => subject)).size).toBe(questions.length);
  });

  it('stay out of every stream, which would answer them itself', () => {
    expect(questions.filter(({ subject }) => streamsOf(subject).length > 0)).toEqual([]);
  });

  it('say how long the asker waits', () => {
    expect(questions.filter(({ timeoutMs }) => !(timeoutMs > 0 && timeoutMs <= 10_000))).toEqual([]);
  });
});

describe('streams', () => {
  it('have consumers only where they are declared', () => {
    const names = STREAMS.map(({ name }) => name);
    expect(CONSUMERS.filter(({ stream }) => !names.includes(stream))).toEqual([]);
  });

  it('have another number when they change: raise TOPOLOGY.number, then write the new fingerprint here', () => {
    const { number, ...declared } = TOPOLOGY;
    const fingerprint = createHash('sha256').update(JSON.stringify(declared)).digest('hex').slice(0, 16);
    expect([number, fingerprint]).toEqual([2, 'c0f96bbb92f41a24']);
  });

  it('are bounded in bytes, age and size of a message', () => {
    const unbounded = STREAMS.filter(
      ({ maxBytes, maxAgeMs, maxMessageBytes }) => !(maxBytes > 0 && maxAgeMs > 0 && maxMessageBytes > 0),
    );
    expect(unbounded).toEqual([]);
  });

  it.each(['DOCK', 'BULK_FLEET', 'BULK_LOG', 'BULK_CREDENTIAL'])(
    '%s refuses when it is full, and forgets none',
    (name) => {
      expect(STREAMS.find((stream) => stream.name === name)).toMatchObject({ retention: 'interest', discard: 'new' });
    },
  );

  it('need less than 1 GiB all together, as the documents say', () => {
    expect(STREAMS.reduce((sum, { maxBytes }) => sum + maxBytes, 0)).toBe(960 * 1024 * 1024);
  });
});
