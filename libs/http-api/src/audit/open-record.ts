import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { SetMetadata } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import type { Tx } from '@aerie/persistence';
import { writeEnded } from './audit-intake.js';
import type { AuditEntry } from './audit-trail.js';

const HOW = 'aerie:audit';

/** What of a handler is on record. `before`, which is the default: nothing is done before its entry is in the database. */
export type HowAudited = 'before' | 'withItsChange' | 'never';

/** The use case writes the record in the transaction of its change: no change is without a record, and no record without its change. */
export const AuditedWithItsChange = (): MethodDecorator => SetMetadata(HOW, 'withItsChange' satisfies HowAudited);

/** It changes nothing and sends nothing, whatever its method says. */
export const NotAudited = (): MethodDecorator => SetMetadata(HOW, 'never' satisfies HowAudited);

export const howAudited = (handler: object): HowAudited =>
  (Reflect.getMetadata(HOW, handler) as HowAudited | undefined) ?? 'before';

/** What will be the record of a request, while the request is carried out. */
export class OpenRecord {
  private isTaken = false;
  private isWritten = false;

  constructor(
    readonly entry: AuditEntry,
    /** Of its answer, when it is carried out. */
    readonly acceptedStatus: number,
  ) {}

  /** A change was committed together with it. */
  get isKept(): boolean {
    return this.isWritten;
  }

  /** The first change of a request has its record; each further one has one of its own. */
  of(resources: Readonly<Record<string, string>>): AuditEntry {
    const id = this.isTaken ? randomUUID() : this.entry.id;
    this.isTaken = true;
    return { ...this.entry, id, resources: { ...this.entry.resources, ...resources } };
  }

  /** Of what it asked for and was refused alone. */
  part(resources: Readonly<Record<string, string>>): AuditEntry {
    return { ...this.entry, id: randomUUID(), resources: { ...this.entry.resources, ...resources } };
  }

  keep(): void {
    this.isWritten = true;
  }
}

/** By the caller of one request, which is an object of its own. */
const open = new WeakMap<Principal, OpenRecord>();

/** The same caller, as the one of this request. */
export function callerWith(principal: Principal, record: OpenRecord): Principal {
  const caller = { ...principal };
  open.set(caller, record);
  return caller;
}

/** Undefined: the engine does it by itself, or the request is on record already. */
export const openRecordOf = (caller: Principal): OpenRecord | undefined => open.get(caller);

/** A change, and who asked for it. */
export interface AskedChange {
  readonly caller: Principal;
  /** Ids of what it is about that are not in the path. */
  readonly resources?: Readonly<Record<string, string>>;
}

/** Writes the records of changes that this transaction makes, with one statement. */
export async function recordChanges(tx: Tx, schema: string, changes: readonly AskedChange[]): Promise<void> {
  const records = changes.flatMap(({ caller, resources = {} }) => {
    const record = openRecordOf(caller);
    return record === undefined ? [] : [{ record, entry: record.of(resources), status: record.acceptedStatus }];
  });
  if (records.length === 0) return;
  tx.afterCommit(() => {
    for (const { record } of records) record.keep();
  });
  await writeEnded(tx, schema, records);
}
