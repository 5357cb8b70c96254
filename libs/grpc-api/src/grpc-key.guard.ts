import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Optional,
  SetMetadata,
  createParamDecorator,
} from '@nestjs/common';
import type { Metadata } from '@grpc/grpc-js';
import { type Permission, type Principal, callerName, isPermitted } from '@aerie/bus-contract';
import {
  type AuditEntry,
  AuditTrail,
  ApiKeys,
  OpenRecord,
  RequestLimits,
  callerWith,
  demand,
  howAudited,
  principalOf,
} from '@aerie/http-api';
import { ForbiddenError, UnauthenticatedError } from '@aerie/kernel';

const PERMISSIONS = 'aerie:permissions';

/** What the caller of a method has to be permitted: one of these. A method that says nothing is shut. */
export const Permitted = (...permissions: readonly [Permission, ...Permission[]]): MethodDecorator =>
  SetMetadata(PERMISSIONS, permissions);

/** What `@Permitted` says of a method; empty where it says nothing. */
export const permissionsOf = (handler: object): readonly Permission[] =>
  (Reflect.getMetadata(PERMISSIONS, handler) as readonly Permission[] | undefined) ?? [];

interface Admission {
  readonly principal: Principal;
  /** Looks again. Throws where the caller may not make the call any more, or nobody can say it. */
  readonly renew: () => Promise<void>;
  /** Null: nothing of it is kept. */
  readonly audited: AuditedCall | null;
}

/** A call that is on record, before it is carried out or with what it changes. */
interface AuditedCall {
  readonly entry: AuditEntry;
  /** Null: its entry is in the database already. */
  readonly record: OpenRecord | null;
}

/** Who sent the call with this metadata. An entry lives as long as the call. */
const admissions = new WeakMap<Metadata, Admission>();

export const admissionOf = (metadata: Metadata): Admission | undefined => admissions.get(metadata);

/** The call as gRPC hands it to Nest; it says where it comes from, as `ipv4:192.0.2.1:5000`. */
interface Call {
  getPeer?(): string;
  /** `/aerie.mission.v1.MissionService/CancelMission` */
  getPath?(): string;
}

/** What HTTP answers to most that it has accepted, and records have of a call that was answered. */
export const ANSWERED = 200;

/** Lets a call in whose metadata `authorization: Bearer <api key>` is good and whose holder may make it. */
@Injectable()
export class GrpcKeyGuard implements CanActivate {
  constructor(
    private readonly keys: ApiKeys,
    private readonly limits: RequestLimits,
    /** None: this service keeps no trail. */
    @Optional() private readonly audit?: AuditTrail,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const metadata = context.switchToRpc().getContext<Metadata>();
    const [header] = metadata.get('authorization');
    const call = context.getArgByIndex<Call | undefined>(2);
    const address = addressOf(call?.getPeer?.() ?? '');
    const principal = await principalOf(this.keys, this.limits, header?.toString(), address);
    const permissions = permissionsOf(context.getHandler());
    const entry = entryOf(principal, address, call?.getPath?.() ?? '', context.getArgByIndex<unknown>(0));
    try {
      this.limits.admit(principal, permissionFor(principal, permissions));
    } catch (error) {
      if (error instanceof ForbiddenError) {
        this.limits.admitRefused(principal);
        await this.audit?.note(entry, 403);
      }
      throw error;
    }
    const renew = async (): Promise<void> => {
      const now = await principalOf(this.keys, this.limits, header?.toString(), address);
      permissionFor(now, permissions);
      if (reachesLess(now, principal)) {
        const message = 'this key no longer reaches all docks that it reached when the call began; call again';
        throw new ForbiddenError('not_permitted', message);
      }
    };
    const audited = await this.begin(context, entry);
    const caller = audited?.record == null ? principal : callerWith(principal, audited.record);
    admissions.set(metadata, { principal: caller, renew, audited });
    return true;
  }

  /** What only reads is not kept. */
  private async begin(context: ExecutionContext, entry: AuditEntry): Promise<AuditedCall | null> {
    const how = howAudited(context.getHandler());
    const isRead = permissionsOf(context.getHandler()).every((permission) => permission.endsWith('.read'));
    if (this.audit === undefined || isRead || how === 'never') return null;
    if (how === 'withItsChange') return { entry, record: new OpenRecord(entry, ANSWERED) };
    await this.audit.begin(entry);
    return { entry, record: null };
  }
}

/** Ids in a message are shorter. What is longer was made up. */
const LONGEST_ID = 100;
/** Fields that name what a call is about. */
const NAMES = ['id', 'sn', 'dockSn', 'objectKey', 'action'] as const;

function entryOf(principal: Principal, address: string, path: string, message: unknown): AuditEntry {
  const fields: Readonly<Record<string, unknown>> =
    typeof message === 'object' && message !== null ? { ...message } : {};
  const resources = Object.fromEntries(
    NAMES.flatMap((name) => {
      const id = fields[name];
      return typeof id === 'string' && id !== '' ? [[name, id.slice(0, LONGEST_ID)] as const] : [];
    }),
  );
  return {
    ...{ id: randomUUID(), organisationId: principal.organisationId, by: callerName(principal), address },
    // Without the package, which says nothing that the service does not.
    ...{ operationId: path.split('.').at(-1) ?? path, resources, requestId: null, atMs: Date.now() },
  };
}

/** Whether a dock is out of reach now: a stream may be about that one. */
const reachesLess = (now: Principal, then: Principal): boolean =>
  now.dockSns !== null && (then.dockSns === null || then.dockSns.some((sn) => now.dockSns?.includes(sn) !== true));

/** What of it permits the call. Throws ForbiddenError where nothing does. */
function permissionFor(principal: Principal, permissions: readonly Permission[]): Permission {
  const [first] = permissions;
  if (first === undefined) {
    throw new ForbiddenError(
      'no_permission_declared',
      'nobody may make this call, because no permission is declared for it',
    );
  }
  const held = permissions.find((permission) => isPermitted(principal.roles, permission));
  if (held === undefined) demand(principal, first);
  return held ?? first;
}

/** The address in what gRPC calls a peer; empty where it has none, as over a Unix socket. */
export function addressOf(peer: string): string {
  const [, v6, v4] = /^(?:ipv[46]:)?(?:\[([^\]]+)\]|([\d.]+)):\d+$/.exec(peer) ?? [];
  return v6 ?? v4 ?? '';
}

/** The caller, as a parameter of a controller's method. */
export const GrpcCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const principal = admissionOf(context.switchToRpc().getContext<Metadata>())?.principal;
  if (principal === undefined) throw new UnauthenticatedError('unauthenticated', 'the call carries no API key');
  return principal;
});
