import { type DockModel, dockModel } from '@aerie/bus-contract';
import { ConflictError, InvalidError, isSerialNumber, schemaProblems, withoutWords } from '@aerie/kernel';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';
import { z } from 'zod';
import { GENERATIONS, NEWEST_GENERATION } from './dock/generations.js';
import { type DockCredentials, hashOf, newCredentials } from './register-dock.js';

/** Of one call; they are written in one transaction. */
const MAX_DOCKS = 10_000;

const serialNumber = z.string().refine(isSerialNumber, 'must be 1 to 64 letters, digits, _ or -');
const line = z.strictObject({
  sn: serialNumber,
  model: dockModel,
  name: z.string().min(1).max(100),
  protocolGeneration: z.enum(GENERATIONS).default(NEWEST_GENERATION),
  /** The aircraft that is in it. Without it the dock tells by itself. */
  aircraftSn: serialNumber.optional(),
});

export interface ImportedDock extends DockCredentials {
  readonly sn: string;
  readonly model: DockModel;
  readonly aircraftSn: string | undefined;
  readonly organisationId: string;
}

type Line = z.output<typeof line>;

/** Reads docks, one as JSON on each line. @throws InvalidError that names line and member. */
export function readDocks(text: string): readonly Line[] {
  const lines = text.split('\n').filter((one) => one.trim() !== '');
  if (lines.length === 0 || lines.length > MAX_DOCKS) {
    throw invalid('lines', `must be 1 to ${MAX_DOCKS}, not ${lines.length}`);
  }
  const docks = lines.map((one, index) => {
    const sent = parse(one, index);
    const read = line.safeParse(sent, { error: withoutWords });
    if (read.success) return read.data;
    const [problem] = schemaProblems(read.error.issues, { input: sent, what: 'dock' });
    throw invalid(`line ${index + 1}: ${problem?.field ?? ''}`, problem?.message ?? 'is not valid');
  });
  const sns = docks.flatMap(({ sn, aircraftSn }) => (aircraftSn === undefined ? [sn] : [sn, aircraftSn]));
  const seen = new Set<string>();
  const twice = sns.find((sn) => seen.size === seen.add(sn).size);
  if (twice !== undefined) throw invalid('sn', `${twice} is there twice`);
  return docks;
}

/**
 * Registers many docks of the first organisation at once, all or none, for a broker whose file gets their users before
 * it starts. @throws ConflictError naming those that are registered already.
 */
export async function importDocks(
  dataSource: DatabaseOf<'engine'>,
  docks: readonly Line[],
): Promise<readonly ImportedDock[]> {
  return inTransaction(dataSource, async (tx) => {
    const organisation = await tx.one<{ id: string }>('SELECT id FROM fleet.organisation ORDER BY created_at LIMIT 1');
    if (organisation === undefined) throw invalid('organisation', 'there is none');
    const imported = docks.map(({ sn, model, aircraftSn }) => ({
      ...{ sn, model, aircraftSn, organisationId: organisation.id },
      ...newCredentials(),
    }));
    const written = await tx.query<{ sn: string }>(
      `INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, binding_code_hash, provisioned_at)
       SELECT sn, $1, model, generation, name, hash, clock_timestamp()
         FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[]) AS d (sn, model, generation, name, hash)
       ON CONFLICT DO NOTHING RETURNING sn`,
      [
        organisation.id,
        docks.map(({ sn }) => sn),
        docks.map(({ model }) => model),
        docks.map(({ protocolGeneration }) => protocolGeneration),
        docks.map(({ name }) => name),
        imported.map(({ bindingCode }) => hashOf(bindingCode)),
      ],
    );
    refuseKnown(
      docks.map(({ sn }) => sn),
      written.map(({ sn }) => sn),
    );
    const flown = imported.filter(({ aircraftSn }) => aircraftSn !== undefined);
    const placed = await tx.query<{ sn: string }>(
      `INSERT INTO fleet.aircraft (sn, organisation_id, dock_sn, online, granted_at, updated_at)
       SELECT sn, $1, dock_sn, false, clock_timestamp(), clock_timestamp()
         FROM unnest($2::text[], $3::text[]) AS a (sn, dock_sn)
       ON CONFLICT DO NOTHING RETURNING sn`,
      [organisation.id, flown.map(({ aircraftSn }) => aircraftSn), flown.map(({ sn }) => sn)],
    );
    refuseKnown(
      flown.map(({ aircraftSn }) => aircraftSn ?? ''),
      placed.map(({ sn }) => sn),
    );
    return imported;
  });
}

function refuseKnown(asked: readonly string[], written: readonly string[]): void {
  const fresh = new Set(written);
  const known = asked.filter((sn) => !fresh.has(sn));
  if (known.length === 0) return;
  const message = `registered already: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ' …' : ''}`;
  throw new ConflictError('dock_exists', message, { fields: [{ field: 'sn', message }] });
}

function parse(text: string, index: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidError('invalid_docks', `line ${index + 1} is no JSON`, {
      fields: [{ field: `line ${index + 1}`, message: 'is no JSON' }],
      cause: error,
    });
  }
}

function invalid(field: string, message: string): InvalidError {
  return new InvalidError('invalid_docks', `${field} ${message}`, { fields: [{ field, message }] });
}
