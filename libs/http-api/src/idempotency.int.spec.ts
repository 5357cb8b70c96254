import { randomUUID } from 'node:crypto';
import { InvalidError } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import { CommitUnknownError, createDataSource, inTransaction, ofAnyOrganisation } from '@aerie/persistence';
import { type TestDatabase, createTestDatabase, eventually, testEnvironment } from '@aerie/testing';
import {
  type IdempotentRequest,
  Refused,
  type StoredAnswer,
  answerOnce,
  findBeforeTogether,
  findMeanwhileTogether,
  idempotencyPrune,
  idempotencyTable,
  once,
  onceTogether,
  readIdempotencyKey,
} from './idempotency.js';
import { problemOf } from './problem.js';

const SCHEMA = 'public';
let database: TestDatabase;
let dataSource: ReturnType<typeof createDataSource>;
let executions: number;

beforeAll(async () => {
  database = await createTestDatabase(testEnvironment().databaseUrl, 'http_api_empty', () => Promise.resolve());
  dataSource = await createDataSource({
    url: database.url,
    applicationName: 'idempotency-spec',
    schema: SCHEMA,
    migrations: [],
    poolSize: 5,
    statementTimeoutMs: 2_000,
    logger: createLogger('test', 'silent'),
  }).initialize();
  await dataSource.query(idempotencyTable(SCHEMA));
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

beforeEach(() => {
  executions = 0;
});

const aRequest = (given: Partial<IdempotentRequest> = {}): IdempotentRequest => ({
  organisationId: randomUUID(),
  route: 'POST /api/v1/missions',
  key: 'key-1',
  body: { name: 'a', start: { altitudeMeters: 1 } },
  ...given,
});

const create = async (): Promise<StoredAnswer> => {
  executions++;
  return { status: 201, body: `{"id":"${randomUUID()}"}` };
};
const execute = (request: IdempotentRequest, work = create): Promise<StoredAnswer> =>
  inTransaction(dataSource, (tx) => once(tx, SCHEMA, request, work));
const failureOf = (request: IdempotentRequest): Promise<unknown> =>
  execute(request).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a request with an idempotency key', () => {
  it('gets the same bytes when it is repeated', async () => {
    const request = aRequest();
    const first = await execute(request);
    expect(await execute(request)).toEqual(first);
  });

  it('is executed once when it is repeated', async () => {
    const request = aRequest();
    await execute(request);
    await execute(request);
    expect(executions).toBe(1);
  });

  it('is executed once when it comes four times at once, and all get the same bytes', async () => {
    const request = aRequest();
    const answers = await Promise.all([1, 2, 3, 4].map(() => execute(request)));
    expect([executions, new Set(answers.map(({ body }) => body)).size]).toEqual([1, 1]);
  });

  it('is the same request when its keys come in another order', async () => {
    const request = aRequest();
    const first = await execute(request);
    expect(await execute({ ...request, body: { start: { altitudeMeters: 1 }, name: 'a' } })).toEqual(first);
  });

  it('is refused with 422 when the key was used for another body', async () => {
    const request = aRequest();
    await execute(request);
    const error = await failureOf({ ...request, body: { name: 'b' } });
    expect(problemOf(error)).toMatchObject({
      status: 422,
      code: 'idempotency_key_reused',
      errors: [{ field: 'Idempotency-Key' }],
    });
  });

  it('is executed again after the first one failed', async () => {
    const request = aRequest();
    const failing = execute(request, () => Promise.reject(new Error('the disk is full')));
    await expect(failing).rejects.toThrow('the disk is full');
    expect((await execute(request)).status).toBe(201);
  });

  it.each([
    ['another organisation', { organisationId: randomUUID() }],
    ['another route', { route: 'POST /api/v1/schedules' }],
    ['another key', { key: 'key-2' }],
  ])('has nothing to do with %s', async (_what, given) => {
    const request = aRequest();
    await execute(request);
    await execute({ ...request, ...given });
    expect(executions).toBe(2);
  });

  it('does not collide with a list that looks like an object', async () => {
    const request = aRequest({ body: { name: ['a'] } });
    await execute(request);
    expect(await failureOf({ ...request, body: { name: { 0: 'a' } } })).toBeInstanceOf(InvalidError);
  });
});

describe('a request that fails after the very same was accepted', () => {
  const refuse = (): Promise<StoredAnswer> => {
    throw new InvalidError('invalid_input', 'its time has passed');
  };
  const repeat = (request: IdempotentRequest) => answerOnce(ofAnyOrganisation(dataSource), SCHEMA, request, refuse);
  const rows = async (): Promise<unknown> => (await dataSource.query(`SELECT 1 FROM ${SCHEMA}.idempotency_key`)).length;

  it('gets the answer of before, without being looked at', async () => {
    const request = aRequest();
    const first = await execute(request);
    expect(await repeat(request)).toEqual(first);
  });

  it('gets the answer of the first one, although that was not committed when the repeat was looked at', async () => {
    const request = aRequest();
    let commit = (): void => undefined;
    const committing = new Promise<void>((resolve) => (commit = resolve));
    let begun = (): void => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const first = execute(request, async () => {
      begun();
      await committing;
      return create();
    });
    await beginning;
    const second = repeat(request);
    await eventually('the repeat waits for the first one', async () => {
      const waiting = await dataSource.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'`,
      );
      return waiting.length > 0;
    });
    commit();
    expect(await second).toEqual(await first);
  });

  it('gets its answer although it was never told that its own commit had succeeded', async () => {
    const request = aRequest();
    let committed: StoredAnswer | undefined;
    const answer = await answerOnce(ofAnyOrganisation(dataSource), SCHEMA, request, async () => {
      committed = await execute(request);
      throw new CommitUnknownError(new Error('the connection was lost'));
    });
    expect(answer).toEqual(committed);
  });

  it('is refused when the first one came to nothing, and leaves nothing behind', async () => {
    const before = await rows();
    await expect(repeat(aRequest())).rejects.toThrow('its time has passed');
    expect(await rows()).toBe(before);
  });

  it('is refused when it came without a key', async () => {
    await expect(repeat(aRequest({ key: undefined }))).rejects.toThrow('its time has passed');
  });

  it('is refused when the key belongs to another request', async () => {
    const request = aRequest();
    await execute(request);
    await expect(repeat({ ...request, body: { name: 'b' } })).rejects.toThrow('its time has passed');
  });
});

describe('a request without a key', () => {
  it('is executed each time', async () => {
    const request = aRequest({ key: undefined });
    await execute(request);
    await execute(request);
    expect(executions).toBe(2);
  });
});

describe('the header', () => {
  it('may be missing', () => {
    expect(readIdempotencyKey(undefined)).toBeUndefined();
  });

  it.each(['', 'a b', 'é', 'x'.repeat(256), 'a\n'])('may not be %j', (header) => {
    expect(() => readIdempotencyKey(header)).toThrow(InvalidError);
  });
});

describe('a key', () => {
  const prune = () => inTransaction(dataSource, idempotencyPrune(SCHEMA, 7).batch);

  it('is deleted when it is older than a week, and no sooner', async () => {
    await dataSource.query('DELETE FROM idempotency_key');
    await dataSource.query(
      `INSERT INTO idempotency_key (organisation_id, route, key, request_hash, status, body, created_at)
       SELECT gen_random_uuid(), 'irrelevant', days::text, '', 201, '', now() - days * interval '1 day'
         FROM generate_series(3, 13) AS days`,
    );
    expect(await prune()).toEqual({ rows: { idempotency_key: 7 }, more: false });
    const kept = await dataSource.query<{ key: string }[]>('SELECT key FROM idempotency_key ORDER BY created_at DESC');
    expect(kept.map(({ key }) => key)).toEqual(['3', '4', '5', '6']);
  });

  it('cannot be kept for less than a week', () => {
    expect(() => idempotencyPrune(SCHEMA, 6)).toThrow('7 days at least, not for 6');
  });

  it('gives its first answer to a repeat that comes one second after midnight', async () => {
    const request = aRequest();
    const first = await execute(request);
    await dataSource.query(
      `UPDATE idempotency_key SET created_at = date_trunc('day', now()) - interval '500 milliseconds' WHERE key = $1`,
      [request.key],
    );
    await prune();
    expect(await execute(request)).toEqual(first);
    expect(executions).toBe(1);
  });
});

describe('many requests in one transaction', () => {
  const REFUSAL = new Error('there is no room');
  /** Carries them out, and refuses those whose body says so. */
  const executeAll = (requests: readonly IdempotentRequest[]): Promise<(StoredAnswer | Refused)[]> =>
    inTransaction(dataSource, (tx) =>
      onceTogether(tx, SCHEMA, requests, (fresh) =>
        Promise.all(fresh.map(async (index) => (requests[index]?.body === 'refuse' ? new Refused(REFUSAL) : create()))),
      ),
    );

  it('get the answers that they got before, also one by one, and only the new ones are carried out', async () => {
    const [known, fresh] = [aRequest({ key: 'known' }), aRequest({ key: 'fresh' })];
    const before = await execute(known);
    const answers = await executeAll([fresh, known]);
    expect(answers[1]).toEqual(before);
    expect(executions).toBe(2);
    expect(await execute(fresh)).toEqual(answers[0]);
    expect(await executeAll([known, fresh])).toEqual([before, answers[0]]);
    expect(executions).toBe(2);
  });

  it('keep no answer for one that is refused: the others stand, and it is carried out when it comes again', async () => {
    const refused = aRequest({ body: 'refuse' });
    const other = aRequest();
    const [first, second] = await executeAll([refused, other]);
    expect([first, (second as StoredAnswer).status]).toEqual([new Refused(REFUSAL), 201]);
    expect((await execute({ ...refused, body: 'now' })).status).toBe(201);
    expect(await execute(other)).toEqual(second);
  });

  it('are carried out once when two of them have one key, and the second is refused when it is another request', async () => {
    const request = aRequest();
    const [first, same, other] = await executeAll([request, request, { ...request, body: 'other' }]);
    expect([executions, same]).toEqual([1, first]);
    expect(problemOf((other as Refused).error)).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('are each a request of its own without a key', async () => {
    const request = aRequest({ key: undefined });
    const answers = (await executeAll([request, request])) as StoredAnswer[];
    expect([executions, new Set(answers.map(({ body }) => body)).size]).toEqual([2, 2]);
  });

  it('are carried out once when the same ones come in two orders at once', async () => {
    const requests = Array.from({ length: 20 }, (_, index) => aRequest({ key: `k${index}` }));
    const [one, other] = await Promise.all([executeAll(requests), executeAll([...requests].reverse())]);
    expect(other).toEqual([...(one as unknown[])].reverse());
    expect(executions).toBe(20);
  });

  it('are found together by who asks whether they were answered before', async () => {
    const [known, other] = [aRequest(), aRequest()];
    const before = await execute(known);
    const find = findBeforeTogether(ofAnyOrganisation(dataSource), SCHEMA);
    expect(await Promise.all([find(known), find(other), find({ ...known, body: 'other' })])).toEqual([
      ...[before, null, null],
    ]);
  });
});

it('of many requests that are refused at once, those that somebody is committing get that answer, in a few transactions', async () => {
  const organisationId = randomUUID();
  const requests = Array.from({ length: 150 }, (_, index) => aRequest({ organisationId, key: `many-${index}` }));
  const [first, other] = [requests[0] as IdempotentRequest, requests[1] as IdempotentRequest];
  let transactions = 0;
  const counting = Object.create(dataSource, {
    driver: { get: () => (transactions++, dataSource.driver) },
  }) as typeof dataSource;
  const findMeanwhile = findMeanwhileTogether(ofAnyOrganisation(counting), SCHEMA);
  let isCommitting = false;
  let commit: () => void = () => undefined;
  const committing = inTransaction(dataSource, (tx) =>
    onceTogether(tx, SCHEMA, [first, { ...other, body: 'another' }], async () => {
      isCommitting = true;
      await new Promise<void>((resolve) => (commit = resolve));
      return [
        { status: 201, body: '{"is":"first"}' },
        { status: 201, body: '{"is":"another"}' },
      ];
    }),
  );
  await eventually('it is about to commit', () => isCommitting);
  const refuse = () => Promise.reject(new Error('refused'));
  const answers = requests.map((request) =>
    answerOnce(ofAnyOrganisation(dataSource), SCHEMA, request, refuse, undefined, findMeanwhile).catch(
      (error: Error) => error.message,
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  commit();
  await committing;
  const [answered, ...refused] = await Promise.all(answers);
  expect(answered).toEqual({ status: 201, body: '{"is":"first"}' });
  expect(new Set(refused)).toEqual(new Set(['refused']));
  expect(transactions).toBeLessThan(10);
  const [left] = await dataSource.query<[{ keys: number }]>(
    `SELECT count(*)::int AS keys FROM idempotency_key WHERE key LIKE 'many-%'`,
  );
  expect(left.keys).toBe(2);
}, 20_000);
