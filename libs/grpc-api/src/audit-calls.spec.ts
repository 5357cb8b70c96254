import 'reflect-metadata';
import { Metadata } from '@grpc/grpc-js';
import type { Principal } from '@aerie/bus-contract';
import {
  type AuditEntry,
  AuditTrail,
  AuditedWithItsChange,
  ApiKeys,
  RequestLimits,
  openRecordOf,
} from '@aerie/http-api';
import { ConflictError } from '@aerie/kernel';
import { lastValueFrom, of, throwError } from 'rxjs';
import { AuditCalls } from './audit-calls.js';
import { GrpcKeyGuard, Permitted, admissionOf } from './grpc-key.guard.js';

// Goal: a call that changes something is on record before it is carried out or with its change, and so is how it ended.

const RATE = { perSecond: 100, burst: 100 };
const HOLDER: Principal = { keyId: 'k', organisationId: 'o', roles: ['pilot'], siteIds: null, dockSns: null };

class Keys extends ApiKeys {
  override verify(): Promise<Principal | null> {
    return Promise.resolve(HOLDER);
  }
}

/** What was written, in words. */
class Told extends AuditTrail {
  readonly words: string[] = [];
  entry: AuditEntry | undefined;

  override async begin(entry: AuditEntry): Promise<void> {
    this.entry = entry;
    this.words.push('begun');
  }
  override async end(_entry: AuditEntry, status: number | null): Promise<void> {
    this.words.push(`ended ${status}`);
  }
  override async note(_entry: AuditEntry, status: number): Promise<void> {
    this.words.push(`noted ${status}`);
  }
  override async noteAll(ended: readonly { readonly status: number | null }[]): Promise<void> {
    for (const { status } of ended) this.words.push(`noted ${status}`);
  }
  override async ownerOf(): Promise<null> {
    return null;
  }
}

class Controller {
  @Permitted('missions.read')
  list(): void {}
  @Permitted('missions.cancel')
  cancel(): void {}
  @Permitted('missions.cancel')
  @AuditedWithItsChange()
  move(): void {}
  @Permitted('people.manage')
  remove(): void {}
}
const { list, cancel, move, remove } = Controller.prototype;

const CALL = { getPeer: () => 'ipv4:192.0.2.1:5000', getPath: () => '/mission.v1.MissionService/CancelMission' };

/** Admits a call and carries it out; `work` gets its caller. */
async function called(handler: () => void, work: (caller: Principal | undefined) => void = () => undefined) {
  const told = new Told();
  const metadata = new Metadata();
  metadata.set('authorization', 'Bearer aerie_k_secret');
  const context = {
    switchToRpc: () => ({ getContext: () => metadata }),
    getArgByIndex: (index: number): object => (index === 0 ? { id: 'M-1', reason: 'fog' } : CALL),
    getHandler: () => handler,
  } as never;
  const limits = new RequestLimits({ perKey: RATE, perOrganisation: RATE });
  const result = await (async () => {
    await new GrpcKeyGuard(new Keys(), limits, told).canActivate(context);
    const handle = () => {
      try {
        work(admissionOf(metadata)?.principal);
        return of('done');
      } catch (error) {
        return throwError(() => error);
      }
    };
    return lastValueFrom(new AuditCalls(told).intercept(context, { handle }));
  })().catch((error: { code: string }) => error.code);
  return { result, told };
}

const fails = (): never => {
  throw new ConflictError('mission_state', 'too late');
};

it('is on record before it is carried out, and once more when it has ended', async () => {
  const { result, told } = await called(cancel);
  expect([result, told.words]).toEqual(['done', ['begun', 'ended 200']]);
  expect(told.entry).toMatchObject({
    ...{ by: 'key:k', organisationId: 'o', address: '192.0.2.1', operationId: 'MissionService/CancelMission' },
    resources: { id: 'M-1' },
  });
});

it('ends with the status that HTTP would have answered', async () => {
  const { result, told } = await called(cancel, fails);
  expect([result, told.words]).toEqual(['mission_state', ['begun', 'ended 409']]);
});

it('that writes its record with its change is noted only where nothing was changed', async () => {
  expect((await called(move)).told.words).toEqual(['noted 200']);
  expect((await called(move, fails)).told.words).toEqual(['noted 409']);
  const kept = await called(move, (caller) => caller !== undefined && openRecordOf(caller)?.keep());
  expect(kept.told.words).toEqual([]);
});

it('that is refused is on record before its caller is told, and that only reads is not', async () => {
  const { result, told } = await called(remove);
  expect([result, told.words]).toEqual(['not_permitted', ['noted 403']]);
  expect((await called(list)).told.words).toEqual([]);
});
