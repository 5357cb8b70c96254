/** What is kept of a request that changes something, or that was refused. Never a body, never a secret. */
export interface AuditEntry {
  readonly id: string;
  readonly organisationId: string;
  /** `key:<id>` or `person:<id>`. */
  readonly by: string;
  readonly address: string;
  /** The name of the route in the API document, or of a method of gRPC with its service. */
  readonly operationId: string;
  /** What it is about: parameters of the path, which are ids, or the id of what it made. */
  readonly resources: Readonly<Record<string, string>>;
  readonly requestId: string | null;
  /** When it came, milliseconds since the epoch. */
  readonly atMs: number;
}

/** Whose key or token it was that is refused. */
export interface KnownBearer {
  readonly organisationId: string;
  readonly by: string;
}

/** Keeps what was asked, by whom, and how it ended. */
export abstract class AuditTrail {
  /** Before anything is done: a request whose entry cannot be kept is refused. */
  abstract begin(entry: AuditEntry): Promise<void>;
  /** Must not throw. Null: nobody knows what the caller was told. */
  abstract end(entry: AuditEntry, status: number | null): Promise<void>;
  /** An entry of what has ended already. */
  abstract note(entry: AuditEntry, status: number): Promise<void>;
  /** Entries of one organisation, of what has ended already. Must not throw. */
  abstract noteAll(ended: readonly { readonly entry: AuditEntry; readonly status: number | null }[]): Promise<void>;
  /** Null: it has no id that is known. */
  abstract ownerOf(bearer: string): Promise<KnownBearer | null>;
}
