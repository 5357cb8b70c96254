import type { DockFact } from '@aerie/bus-contract';
import { messageIdOf } from '@aerie/messaging';
import { type DatabaseOf, type MessageKey, type Tx, enterInboxMany, inTransaction } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';

/** No documented property has a name near this, and no message so many of them. */
const MAX_NAME_LENGTH = 128;
const MAX_PROPERTIES = 200;

/** How exactly it is kept when a device said last what it had said before. */
const SAME_VALUE_SECONDS = 600;

/** What a device proves itself with; never kept. */
const SECRETS = new Set(['device_secret', 'nonce', 'device_binding_code', 'app_license', 'app_key']);

const withoutSecrets = (raw: string): string =>
  JSON.stringify(JSON.parse(raw, (key, value: unknown) => (SECRETS.has(key) ? '[secret]' : value)));

/** Keeps what docks say where nobody else does: a batch of messages in one transaction. */
export class KeepMessages {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /** Messages that no service asked for, a repeat once, and of each property that was sent the newest value. */
  async keep(messages: readonly DockFact[], states: readonly DockFact[]): Promise<void> {
    if (messages.length + states.length === 0) return;
    await inTransaction(this.dataSource, async (tx) => {
      await keepMessages(tx, messages);
      await keepStates(tx, states);
    });
  }
}

/** A name of its own: keeping a message must never pass for handling it. */
const keyOf = (fact: DockFact): MessageKey => ({
  sn: fact.sn,
  method: `kept ${fact.method ?? fact.channel}`,
  messageId: messageIdOf(fact),
});

async function keepMessages(tx: Tx, facts: readonly DockFact[]): Promise<void> {
  const unseen = await enterInboxMany(tx, SCHEMA, facts.map(keyOf));
  const kept = facts.filter((fact) => {
    const { sn, method, messageId } = keyOf(fact);
    return unseen.delete(JSON.stringify([sn, method, messageId]));
  });
  if (kept.length === 0) return;
  await tx.run(
    `INSERT INTO fleet.kept_message (organisation_id, sn, channel, method, raw, received_at)
     SELECT d.organisation_id, k.sn, k.channel, k.method, k.raw,
            least(to_timestamp(k.received_at_ms / 1000.0), clock_timestamp())
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[])
            WITH ORDINALITY AS k (sn, channel, method, raw, received_at_ms, place)
       LEFT JOIN fleet.dock d ON d.sn = k.sn
      ORDER BY k.place`,
    [
      kept.map(({ sn }) => sn),
      kept.map(({ channel }) => channel),
      kept.map(({ method }) => method),
      kept.map(({ raw }) => withoutSecrets(raw)),
      kept.map(({ receivedAtMs }) => receivedAtMs),
    ],
  );
}

interface Property {
  readonly sn: string;
  readonly name: string;
  readonly value: string;
  readonly receivedAtMs: number;
}

/** Properties that were sent because they changed: the newest of each is kept. [Cloud API, device properties] */
async function keepStates(tx: Tx, facts: readonly DockFact[]): Promise<void> {
  const newest = new Map<string, Property>();
  for (const { sn, data, receivedAtMs } of facts) {
    const entries = Object.entries(data as Record<string, unknown>)
      .filter(([name]) => name.length <= MAX_NAME_LENGTH)
      .slice(0, MAX_PROPERTIES);
    for (const [name, value] of entries) {
      const key = JSON.stringify([sn, name]);
      const before = newest.get(key);
      if (before !== undefined && before.receivedAtMs > receivedAtMs) continue;
      newest.set(key, { sn, name, value: JSON.stringify(value), receivedAtMs });
    }
  }
  if (newest.size === 0) return;
  const properties = [...newest.values()];
  // Sorted: two replicas that write the same rows wait for each other in one order only. A time from the future would make
  // the next values pass for older ones, and this one for new. Docks send all they know with each connection and each
  // flight: a value that is there already is written anew only now and then, and is left out before its row is locked.
  await tx.run(
    `INSERT INTO fleet.device_property AS p (sn, property, value, received_at)
     SELECT told.sn, told.property, told.value, told.received_at
       FROM (SELECT sn, property, value::jsonb AS value,
                    least(to_timestamp(received_at_ms / 1000.0), clock_timestamp()) AS received_at
               FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[]) AS t (sn, property, value, received_at_ms)) AS told
       LEFT JOIN fleet.device_property k ON k.sn = told.sn AND k.property = told.property
      WHERE k.sn IS NULL OR k.value <> told.value
         OR k.received_at NOT BETWEEN told.received_at - $5::float8 * interval '1 second' AND clock_timestamp()
      ORDER BY told.sn, told.property
     ON CONFLICT (sn, property) DO UPDATE SET value = excluded.value, received_at = excluded.received_at
      WHERE least(p.received_at, clock_timestamp()) <= excluded.received_at
        AND (p.value <> excluded.value OR p.received_at NOT BETWEEN excluded.received_at - $5::float8 * interval '1 second'
                                                                AND clock_timestamp())`,
    [
      properties.map(({ sn }) => sn),
      properties.map(({ name }) => name),
      properties.map(({ value }) => value),
      properties.map(({ receivedAtMs }) => receivedAtMs),
      SAME_VALUE_SECONDS,
    ],
  );
}
