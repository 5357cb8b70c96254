import type { DockFact } from '@aerie/bus-contract';
import { enterInbox, inTransaction } from '@aerie/persistence';
import { DataSource } from 'typeorm';
import { SCHEMA } from '../../database.js';

/** No documented property has a name near this, and no message so many of them. */
const MAX_NAME_LENGTH = 128;
const MAX_PROPERTIES = 200;

/** What a device proves itself with; never kept. */
const SECRETS = new Set(['device_secret', 'nonce', 'device_binding_code', 'app_license', 'app_key']);

const withoutSecrets = (raw: string): string =>
  JSON.stringify(JSON.parse(raw, (key, value: unknown) => (SECRETS.has(key) ? '[secret]' : value)));

/** Keeps what docks say where nobody else does. */
export class KeepMessages {
  constructor(private readonly dataSource: DataSource) {}

  /** A message that no service asked for; a repeat is kept once. */
  async keep(fact: DockFact, messageId: string): Promise<void> {
    const { sn, channel, method, raw, receivedAtMs } = fact;
    await inTransaction(this.dataSource, async (tx) => {
      // A name of its own: keeping a message must never pass for handling it.
      if (!(await enterInbox(tx, SCHEMA, { sn, method: `kept ${method ?? channel}`, messageId }))) return;
      await tx.run(
        `INSERT INTO fleet.kept_message (organisation_id, sn, channel, method, raw, received_at)
         VALUES ((SELECT organisation_id FROM fleet.dock WHERE sn = $1), $1, $2, $3, $4, to_timestamp($5 / 1000.0))`,
        [sn, channel, method, withoutSecrets(raw), receivedAtMs],
      );
    });
  }

  /** Properties that were sent because they changed: the newest of each is kept. [Cloud API, device properties] */
  async keepState({ sn, data, receivedAtMs }: DockFact): Promise<void> {
    const entries = Object.entries(data as Record<string, unknown>)
      .filter(([name]) => name.length <= MAX_NAME_LENGTH)
      .slice(0, MAX_PROPERTIES);
    await this.dataSource.query(
      `INSERT INTO fleet.device_property AS p (sn, property, value, received_at)
       SELECT $1, property, value::jsonb, to_timestamp($4 / 1000.0)
         FROM unnest($2::text[], $3::text[]) AS told (property, value)
       ON CONFLICT (sn, property) DO UPDATE SET value = excluded.value, received_at = excluded.received_at
        WHERE p.received_at <= excluded.received_at`,
      [sn, entries.map(([name]) => name), entries.map(([, value]) => JSON.stringify(value)), receivedAtMs],
    );
  }
}
