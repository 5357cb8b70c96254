import { randomUUID } from 'node:crypto';
import type { Page, Position } from '@aerie/http-api';
import { toPage } from '@aerie/http-api';
import { UnavailableError } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type Databases, wholeOf } from '@aerie/persistence';
import type { IssueView } from './issue.schema.js';

/** What was given out. It has no member for a secret. */
export interface Issue {
  readonly organisationId: string;
  readonly kind: 'keys' | 'download' | 'upload';
  readonly dockSn: string | null;
  /** Of keys: the prefix. Of an address: the key of the object. */
  readonly objectPrefix: string;
  readonly actions: readonly string[];
  readonly provider: string;
  readonly storageVersion: number;
  readonly accessKeyId: string | null;
  /** `dock:<sn>`, `key:<id of an API key>` or `service:<name>`. */
  readonly askedBy: string;
  readonly reason: string;
  readonly expiresAtMs: number;
}

export interface IssueFilter {
  readonly dockSn?: string | undefined;
  readonly kind?: Issue['kind'] | undefined;
  readonly accessKeyId?: string | undefined;
  readonly prefix?: string | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
}

interface IssueRow {
  readonly id: string;
  readonly kind: Issue['kind'];
  readonly dock_sn: string | null;
  readonly object_prefix: string;
  readonly actions: readonly string[];
  readonly provider: string;
  readonly storage_version: number;
  readonly access_key_id: string | null;
  readonly asked_by: string;
  readonly reason: string;
  readonly issued_at: Date;
  readonly expires_at: Date;
  /** With microseconds, for the cursor. */
  readonly position: string;
}

/** Addresses that wait to be written down. More than a deployment gives out in a minute; then the oldest are lost. */
const MAX_NOTES = 20_000;
const PER_STATEMENT = 500;
const NOTE_EVERY_MS = 250;

const COLUMNS = `organisation_id, kind, dock_sn, object_prefix, actions, provider, storage_version, access_key_id,
  asked_by, reason, expires_at`;
/** The same as they come in JSON, where a list of words is one text. */
const RECORD_VALUES = COLUMNS.replace('actions', "string_to_array(actions, ' ')");
const RECORD_TYPES = `organisation_id uuid, kind text, dock_sn text, object_prefix text, actions text, provider text,
  storage_version integer, access_key_id text, asked_by text, reason text, expires_at timestamptz`;

interface KeyRecord {
  readonly id: string;
  readonly issue: Issue;
  readonly keysIssuedAtMs: number;
  readonly resolve: (written: boolean) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The ledger of everything that opens a storage for a while.
 *
 * INVARIANTS: keys leave only after their row is committed, and never when they are older than what was called back;
 * addresses of objects are written down right after, so that a database that is away keeps no mission from its file.
 */
export class Ledger {
  /** Whoever waits for keys waits for one of these. */
  private readonly records: KeyRecord[] = [];
  private recording = false;
  private notes: Issue[] = [];
  private lost = 0;
  private timer: NodeJS.Timeout | undefined;
  private working = false;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly databases: Databases,
    private readonly logger: Logger,
  ) {}

  /**
   * Writes keys down before they are handed out. False: keys of this dock or organisation were called back since these
   * were made, or are being called back now.
   *
   * @throws UnavailableError when it cannot be written; then the keys must not leave
   */
  record(issue: Issue, keysIssuedAtMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.records.push({ id: randomUUID(), issue, keysIssuedAtMs, resolve, reject });
      if (!this.recording) void this.writeRecords();
    });
  }

  /** Writes an address down soon. */
  note(issue: Issue): void {
    if (this.notes.length >= MAX_NOTES) {
      this.notes.shift();
      this.lost += 1;
    }
    this.notes.push(issue);
  }

  start(): void {
    this.timer = setInterval(() => {
      if (this.working) return;
      this.working = true;
      this.writing = this.work().finally(() => (this.working = false));
    }, NOTE_EVERY_MS);
  }

  /** Writes down what is noted, and ends. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    await this.work();
  }

  async list(
    organisationId: string,
    filter: IssueFilter,
    limit: number,
    after: Position | null,
  ): Promise<Page<IssueView>> {
    const rows = await this.databases.api.of(wholeOf(organisationId)).query<IssueRow>(
      `SELECT *, to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
         FROM credential.issue
        WHERE organisation_id = $1
          AND ($2::text IS NULL OR dock_sn = $2)
          AND ($3::text IS NULL OR kind = $3)
          AND ($4::text IS NULL OR access_key_id = $4)
          AND ($5::text IS NULL OR starts_with(object_prefix, $5))
          AND ($6::timestamptz IS NULL OR issued_at >= $6)
          AND ($7::timestamptz IS NULL OR issued_at < $7)
          AND ($8::timestamptz IS NULL OR (issued_at, id) < ($8, $9::uuid))
        ORDER BY issued_at DESC, id DESC
        LIMIT $10`,
      [
        ...[organisationId, filter.dockSn ?? null, filter.kind ?? null, filter.accessKeyId ?? null],
        ...[filter.prefix ?? null, filter.from ?? null, filter.until ?? null],
        ...[after?.createdAt ?? null, after?.id ?? null, limit + 1],
      ],
    );
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), viewOf);
  }

  /** One statement at a time, with all that came meanwhile: docks ask in herds. */
  private async writeRecords(): Promise<void> {
    this.recording = true;
    while (this.records.length > 0) {
      const batch = this.records.splice(0, PER_STATEMENT);
      try {
        const rows = await this.databases.engine.query<{ id: string }[]>(
          `INSERT INTO credential.issue (id, ${COLUMNS})
           SELECT id, ${RECORD_VALUES}
             FROM jsonb_to_recordset($1::jsonb) AS note (id uuid, keys_issued_at timestamptz, ${RECORD_TYPES})
            WHERE NOT EXISTS (
              SELECT 1 FROM credential.revocation AS r
               WHERE r.organisation_id = note.organisation_id AND (r.dock_sn IS NULL OR r.dock_sn = note.dock_sn)
                 AND r.not_before > note.keys_issued_at)
           RETURNING id`,
          [JSON.stringify(batch.map(recordOf))],
        );
        const written = new Set(rows.map(({ id }) => id));
        for (const { id, resolve } of batch) resolve(written.has(id));
      } catch (error) {
        const message = 'no keys are given out that cannot be written down, try again';
        const refusal = new UnavailableError('ledger_unavailable', message, { cause: error });
        for (const { reject } of batch) reject(refusal);
      }
    }
    this.recording = false;
  }

  private async work(): Promise<void> {
    try {
      await this.writeNotes();
    } catch (error) {
      this.logger.warn({ err: error, waiting: this.notes.length, lost: this.lost }, 'the ledger cannot be written now');
    }
  }

  private async writeNotes(): Promise<void> {
    while (this.notes.length > 0) {
      const batch = this.notes.slice(0, PER_STATEMENT);
      await this.databases.engine.query(
        `INSERT INTO credential.issue (id, ${COLUMNS})
         SELECT gen_random_uuid(), ${RECORD_VALUES} FROM jsonb_to_recordset($1::jsonb) AS note (${RECORD_TYPES})`,
        [JSON.stringify(batch.map(noteOf))],
      );
      this.notes = this.notes.slice(batch.length);
    }
    if (this.lost > 0) this.logger.warn({ lost: this.lost }, 'some addresses are not in the ledger');
    this.lost = 0;
  }
}

const recordOf = ({ id, issue, keysIssuedAtMs }: KeyRecord) => ({
  id,
  keys_issued_at: new Date(keysIssuedAtMs).toISOString(),
  ...noteOf(issue),
});

const noteOf = (issue: Issue) => ({
  organisation_id: issue.organisationId,
  kind: issue.kind,
  dock_sn: issue.dockSn,
  object_prefix: issue.objectPrefix,
  actions: issue.actions.join(' '),
  provider: issue.provider,
  storage_version: issue.storageVersion,
  access_key_id: issue.accessKeyId,
  asked_by: issue.askedBy,
  reason: issue.reason,
  expires_at: new Date(issue.expiresAtMs).toISOString(),
});

const viewOf = (row: IssueRow): IssueView => ({
  id: row.id,
  kind: row.kind,
  dockSn: row.dock_sn,
  objectPrefix: row.object_prefix,
  actions: [...row.actions],
  provider: row.provider,
  storageVersion: row.storage_version,
  accessKeyId: row.access_key_id,
  askedBy: row.asked_by,
  reason: row.reason,
  issuedAt: row.issued_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
});
