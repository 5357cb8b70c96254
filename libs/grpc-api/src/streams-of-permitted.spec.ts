import 'reflect-metadata';
import { Metadata } from '@grpc/grpc-js';
import { jest } from '@jest/globals';
import { ApiKeys, RequestLimits } from '@aerie/http-api';
import { type Principal, type Role, sitesOf } from '@aerie/bus-contract';
import { Subject } from 'rxjs';
import { GrpcKeyGuard, Permitted } from './grpc-key.guard.js';
import { StreamsOfPermitted } from './streams-of-permitted.js';

// Goal: whoever may not make a call any more gets nothing more of it.

const RATE = { perSecond: 100, burst: 100 };

const WHOLE = { siteIds: null, dockSns: null };

class Keys extends ApiKeys {
  holder: Principal | null = { keyId: 'k', organisationId: 'o', personId: undefined, roles: ['viewer'], ...WHOLE };

  override verify(): Promise<Principal | null> {
    return Promise.resolve(this.holder);
  }
}

/** A viewer at sites with these docks. */
const atSites = (dockSns: readonly string[]): Principal => ({
  ...{ keyId: 'k', organisationId: 'o', personId: undefined },
  ...sitesOf(['viewer'], ['site'], dockSns),
});

class Controller {
  @Permitted('missions.read')
  watch(): void {}
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A call that was let in, and what its caller gets of it. */
async function admitted(call: object, dockSns: readonly string[] | null = null) {
  const keys = new Keys();
  if (dockSns !== null) keys.holder = atSites(dockSns);
  const metadata = new Metadata();
  metadata.set('authorization', 'Bearer aerie_k_secret');
  const context = {
    switchToRpc: () => ({ getContext: () => metadata }),
    getArgByIndex: (): object => call,
    getHandler: () => Controller.prototype.watch,
  };
  await new GrpcKeyGuard(keys, new RequestLimits({ perKey: RATE, perOrganisation: RATE })).canActivate(
    context as never,
  );
  const source = new Subject<string>();
  const got: unknown[] = [];
  new StreamsOfPermitted().intercept(context as never, { handle: () => source }).subscribe({
    next: (value) => got.push(value),
    error: (error: { code: string }) => got.push(error.code),
    complete: () => got.push('over'),
  });
  return { keys, source, got };
}
const aStream = { write: (): void => undefined, getPeer: () => 'ipv4:192.0.2.1:5000' };

it('hands on all of a stream, and its end, while the key is good', async () => {
  const { source, got } = await admitted(aStream);
  source.next('a');
  await jest.advanceTimersByTimeAsync(35_000);
  source.next('b');
  source.complete();
  expect(got).toEqual(['a', 'b', 'over']);
  expect(jest.getTimerCount()).toBe(0);
});

it.each([
  ['the key is not known any more', null, 'unauthenticated'],
  ['its roles were taken', ['auditor'], 'not_permitted'],
] as const)('ends a stream within ten seconds of knowing that %s', async (_why, roles, code) => {
  const { keys, source, got } = await admitted(aStream);
  source.next('a');
  await jest.advanceTimersByTimeAsync(15_000);
  keys.holder = roles && { ...keys.holder!, roles: [...roles] as Role[] };
  await jest.advanceTimersByTimeAsync(10_000);
  source.next('b');
  expect(got).toEqual(['a', code]);
  expect(source.observed).toBe(false);
  expect(jest.getTimerCount()).toBe(0);
});

it.each([
  ['is limited to sites', null, ['DOCK-1']],
  ['no longer reaches a dock', ['DOCK-1', 'DOCK-2'], ['DOCK-2', 'DOCK-3']],
])('ends a stream within ten seconds of knowing that its caller %s', async (_why, before, now) => {
  const { keys, source, got } = await admitted(aStream, before);
  source.next('a');
  keys.holder = atSites(now);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(got).toEqual(['a', 'not_permitted']);
  expect(source.observed).toBe(false);
});

it('goes on with a stream whose caller reaches one dock more', async () => {
  const { keys, source, got } = await admitted(aStream, ['DOCK-1']);
  keys.holder = atSites(['DOCK-0', 'DOCK-1']);
  await jest.advanceTimersByTimeAsync(25_000);
  source.next('a');
  expect(got).toEqual(['a']);
});

it('looks at no call that has one answer', async () => {
  const { keys, source, got } = await admitted({ getPeer: () => 'ipv4:192.0.2.1:5000' });
  keys.holder = null;
  await jest.advanceTimersByTimeAsync(60_000);
  source.next('a');
  expect(got).toEqual(['a']);
});
