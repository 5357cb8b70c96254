import { createHash } from 'node:crypto';
import * as contract from './index.js';
import {
  CONSUMERS,
  type Owner,
  type Question,
  STREAMS,
  TOPOLOGY,
  deadLetterSubject,
  dockSubject,
  factSubject,
  subjectMatches,
} from './index.js';

const OWNERS: readonly Owner[] = ['mission', 'fleet', 'log', 'credential', 'none', 'any'];
const streamsOf = (subject: string): string[] =>
  STREAMS.filter(({ subjects }) => subjects.some((filter) => subjectMatches(filter, subject))).map(({ name }) => name);
const questions = (Object.values(contract) as unknown[]).filter(
  (entry): entry is Question<unknown, unknown> => typeof entry === 'object' && entry !== null && 'ask' in entry,
);

describe('subjects', () => {
  it.each(OWNERS)('put an uplink of owner %s into stream DOCK only', (owner) => {
    expect(streamsOf(dockSubject(owner, 'DOCK-1', 'events', 'flighttask_progress'))).toEqual(['DOCK']);
  });

  it.each(OWNERS)(
    'give an uplink of owner %s to a consumer, because interest retention drops what nobody wants',
    (owner) => {
      const subject = dockSubject(owner, 'DOCK-1', 'replies', null);
      expect(
        CONSUMERS.filter(({ filterSubjects }) => filterSubjects.some((filter) => subjectMatches(filter, subject))),
      ).not.toEqual([]);
    },
  );

  it('give each kind of uplink of each owner to exactly one consumer of a program', () => {
    const kinds = ['events', 'requests', 'replies', 'status', 'state'] as const;
    const takers = OWNERS.flatMap((owner) =>
      kinds.map((kind) => {
        const subject = dockSubject(owner, 'DOCK-1', kind, 'any_method');
        const services = CONSUMERS.filter(({ filterSubjects }) =>
          filterSubjects.some((filter) => subjectMatches(filter, subject)),
        ).map(({ service }) => service);
        return { subject, services, distinct: new Set(services).size };
      }),
    );
    expect(takers.filter(({ services, distinct }) => distinct === 0 || distinct !== services.length)).toEqual([]);
  });

  it('give requests, and replies to commands that are waited for, to other consumers than events', () => {
    const takers = (owner: Owner, kind: Parameters<typeof dockSubject>[2]): string[] =>
      CONSUMERS.filter(({ filterSubjects }) =>
        filterSubjects.some((filter) => subjectMatches(filter, dockSubject(owner, 'DOCK-1', kind, 'any_method'))),
      ).map(({ durable }) => durable);
    const apart = [
      ...(['mission', 'fleet', 'log', 'credential'] as const).map((owner) => [owner, 'requests'] as const),
      ...(['mission', 'log'] as const).map((owner) => [owner, 'replies'] as const),
    ];
    for (const [owner, kind] of apart) {
      const events = takers(owner, 'events');
      expect(takers(owner, kind).filter((durable) => events.includes(durable))).toEqual([]);
    }
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
    expect([number, fingerprint]).toEqual([1, '83f393cf55fc9abd']);
  });

  it('are bounded in bytes, age and size of a message', () => {
    const unbounded = STREAMS.filter(
      ({ maxBytes, maxAgeMs, maxMessageBytes }) => !(maxBytes > 0 && maxAgeMs > 0 && maxMessageBytes > 0),
    );
    expect(unbounded).toEqual([]);
  });

  it('refuse control messages when they are full, and forget none', () => {
    expect(contract.DOCK_STREAM).toMatchObject({ retention: 'interest', discard: 'new' });
  });
});
