import { randomUUID } from 'node:crypto';
import type { DockFact } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { ApiDatabase, wholeOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { BrokerUsers } from './broker/broker-users.js';
import { MAX_MOVES } from './aircraft-moves.js';
import { ChangeDock } from './change-dock.js';
import { UpdateTopology } from './dock/update-topology.js';
import { DockStore, DocksOfAll } from './dock.store.js';
import { RegisterDock } from './register-dock.js';
import { Topologies } from './topologies.js';

/** The broker is another part's story; what was asked of it is kept. */
class NotedBroker extends BrokerUsers {
  readonly calls: string[] = [];
  down = false;
  private note(call: string): void {
    if (this.down) throw new Error('the broker is away');
    this.calls.push(call);
  }
  override async provision(dockSn: string): Promise<void> {
    this.note(`provision ${dockSn}`);
  }
  override async grantAircraft(dockSn: string, aircraftSns: readonly string[]): Promise<void> {
    this.note(`grant ${dockSn} [${aircraftSns.join()}]`);
  }
  override async disable(dockSn: string): Promise<void> {
    this.note(`disable ${dockSn}`);
  }
  override async enable(dockSn: string): Promise<void> {
    this.note(`enable ${dockSn}`);
  }
  override async remove(dockSn: string): Promise<void> {
    this.note(`remove ${dockSn}`);
  }
}

const logger = createLogger('change-dock-spec', 'silent');
let dataSource: DataSource;
let owner: DataSource;
let api: DataSource;
let drop: () => Promise<void>;
let docks: DockStore;
let docksOfAll: DocksOfAll;
let broker: NotedBroker;
let registerDock: RegisterDock;
let changeDock: ChangeDock;
let updateTopology: UpdateTopology;
let organisationId: string;
let otherOrganisationId: string;

beforeAll(async () => {
  ({ dataSource, api, owner, drop } = await fleetTestDatabase());
  docks = new DockStore(new ApiDatabase(api));
  docksOfAll = new DocksOfAll(dataSource);
  const [first] = await dataSource.query<{ id: string }[]>('SELECT id FROM fleet.organisation');
  organisationId = first?.id ?? '';
  otherOrganisationId = randomUUID();
  await owner.query(`INSERT INTO fleet.organisation (id, name) VALUES ($1, 'other')`, [otherOrganisationId]);
}, 60_000);
afterAll(() => drop(), 30_000);
beforeEach(() => {
  broker = new NotedBroker();
  const topologies = new Topologies(docksOfAll);
  registerDock = new RegisterDock(new ApiDatabase(api), docksOfAll, broker, topologies);
  changeDock = new ChangeDock(new ApiDatabase(api), docksOfAll, broker, topologies);
  updateTopology = new UpdateTopology(dataSource, broker, topologies, logger);
});

const aSn = (): string => `CHG-${randomUUID().slice(0, 8)}`;

async function aDock(organisation = organisationId, sn = aSn()): Promise<string> {
  await registerDock.register(wholeOf(organisation), {
    sn,
    model: 'dock2',
    protocolGeneration: '1.15',
    name: sn,
    siteId: null,
  });
  broker.calls.length = 0;
  return sn;
}

let clockMs = 1_800_000_000_000;
/** The dock says which aircraft it has. */
async function tell(dockSn: string, aircraftSns: readonly string[]): Promise<void> {
  const data = { sub_devices: aircraftSns.map((sn) => ({ sn })) };
  const tid = randomUUID();
  const fact = { sn: dockSn, tid, receivedAtMs: ++clockMs, data, raw: '', topic: '' } as unknown as DockFact;
  await updateTopology.execute(dockSn, fact, data, tid);
}

const speakerFor = async (sn: string): Promise<string | undefined> => (await docksOfAll.speakerFor(sn))?.sn;
const movesOf = async (sn: string, organisation = organisationId) =>
  (await docks.aircraftOf(wholeOf(organisation), sn)).moves.map(({ from_dock_sn, to_dock_sn, reason }) => [
    from_dock_sn,
    to_dock_sn,
    reason,
  ]);
const listed = async (retired: boolean): Promise<string[]> =>
  (await docks.list(wholeOf(organisationId), { limit: 200, after: null, retired })).map(({ sn }) => sn);

describe('an aircraft', () => {
  it('follows the dock that names it last, although the first one never told that it is gone', async () => {
    const [dead, replacement, aircraft] = [await aDock(), await aDock(), aSn()];
    await tell(dead, [aircraft]);
    broker.calls.length = 0;
    await tell(replacement, [aircraft]);
    expect(await speakerFor(aircraft)).toBe(replacement);
    // Who loses it loses the right to speak for it, before somebody else gets it.
    expect(broker.calls).toEqual([`grant ${dead} []`, `grant ${replacement} [${aircraft}]`]);
  });

  it('that moved is recorded at both docks and told to other services', async () => {
    const [first, second, aircraft] = [await aDock(), await aDock(), aSn()];
    await tell(first, [aircraft]);
    await tell(second, [aircraft]);
    expect(await movesOf(first)).toEqual([[first, second, 'named']]);
    expect(await movesOf(second)).toEqual([[first, second, 'named']]);
    const told = await dataSource.query<unknown[]>(
      `SELECT 1 FROM fleet.outbox WHERE subject LIKE '%aircraftMoved' AND payload->>'aircraftSn' = $1`,
      [aircraft],
    );
    expect(told).toHaveLength(1);
  });

  it('never follows a dock of another organisation', async () => {
    const [owner, stranger, aircraft] = [await aDock(), await aDock(otherOrganisationId), aSn()];
    await tell(owner, [aircraft]);
    await tell(stranger, [aircraft]);
    expect(await speakerFor(aircraft)).toBe(owner);
    expect(await movesOf(owner)).toEqual([]);
  });

  it('keeps a bounded record when two docks name it in turn', async () => {
    const [first, second, aircraft] = [await aDock(), await aDock(), aSn()];
    // As many as are kept, and then some more in earnest.
    await dataSource.query(
      `INSERT INTO fleet.aircraft_move (organisation_id, aircraft_sn, from_dock_sn, to_dock_sn, reason)
       SELECT $1, $2, $3, $4, 'named' FROM generate_series(1, $5)`,
      [organisationId, aircraft, first, second, MAX_MOVES],
    );
    for (let turn = 0; turn < 3; turn++) for (const dock of [first, second]) await tell(dock, [aircraft]);
    const rows = await dataSource.query<unknown[]>('SELECT 1 FROM fleet.aircraft_move WHERE aircraft_sn = $1', [
      aircraft,
    ]);
    expect(rows).toHaveLength(MAX_MOVES);
  });

  it('that a person releases may not be spoken for, and comes back when the dock names it again', async () => {
    const [dock, aircraft] = [await aDock(), aSn()];
    await tell(dock, [aircraft]);
    broker.calls.length = 0;
    await changeDock.releaseAircraft(wholeOf(organisationId), dock, aircraft);
    expect(await speakerFor(aircraft)).toBeUndefined();
    expect(broker.calls).toEqual([`grant ${dock} []`]);
    expect(await movesOf(dock)).toEqual([[dock, null, 'released']]);
    await tell(dock, [aircraft]);
    expect(await speakerFor(aircraft)).toBe(dock);
  });

  it('that the dock does not have cannot be released', async () => {
    const [dock, aircraft] = [await aDock(), aSn()];
    await expect(changeDock.releaseAircraft(wholeOf(organisationId), dock, aircraft)).rejects.toMatchObject({
      code: 'unknown_aircraft',
    });
    await tell(dock, [aircraft]);
    await expect(changeDock.releaseAircraft(wholeOf(otherOrganisationId), dock, aircraft)).rejects.toMatchObject({
      code: 'unknown_dock',
    });
  });
});

describe('a serial number that a dock claims as its aircraft', () => {
  it('is given to its owner who corrects a dock to it, and the claimant may no longer speak for it', async () => {
    const [claimant, wrong, sn] = [await aDock(otherOrganisationId), await aDock(), aSn()];
    await tell(claimant, [sn]);
    broker.calls.length = 0;
    await changeDock.correctSn(wholeOf(organisationId), wrong, sn);
    expect(broker.calls).toEqual([`grant ${claimant} []`, `provision ${sn}`, `remove ${wrong}`]);
  });

  it('is given to its owner who registers it, and the claimant may no longer speak for it', async () => {
    const [claimant, sn] = [await aDock(otherOrganisationId), aSn()];
    await tell(claimant, [sn]);
    broker.calls.length = 0;
    await registerDock.register(wholeOf(organisationId), {
      sn,
      model: 'dock2',
      protocolGeneration: '1.15',
      name: sn,
      siteId: null,
    });
    expect(broker.calls).toEqual([`grant ${claimant} []`, `provision ${sn}`]);
    expect(await speakerFor(sn)).toBe(sn);
    expect(await movesOf(claimant, otherOrganisationId)).toEqual([[claimant, null, 'registeredAsDock']]);
    await tell(claimant, [sn]);
    expect(await speakerFor(sn)).toBe(sn);
  });

  it('is refused with advice that fits: own docks get new credentials, those of others cannot', async () => {
    const sn = await aDock();
    const again = (organisation: string) =>
      registerDock.register(wholeOf(organisation), {
        sn,
        model: 'dock2',
        protocolGeneration: '1.15',
        name: sn,
        siteId: null,
      });
    const advice = (text: string) => ({ fields: [{ message: expect.stringContaining(text) as string }] });
    await expect(again(organisationId)).rejects.toMatchObject(advice(`POST /api/v1/docks/${sn}/credentials`));
    await expect(again(otherOrganisationId)).rejects.toMatchObject(advice('registered by another organisation'));
  });
});

describe('the serial number of a dock', () => {
  it('is corrected while it never connected: the right one gets credentials, the wrong one is forgotten', async () => {
    const [wrong, right] = [await aDock(), aSn()];
    await changeDock.change(wholeOf(organisationId), wrong, { name: 'Roof', siteId: null });
    const credentials = await changeDock.correctSn(wholeOf(organisationId), wrong, right);
    expect(credentials.mqttPassword).not.toBe('');
    expect(broker.calls).toEqual([`provision ${right}`, `remove ${wrong}`]);
    expect(await docks.find(wholeOf(organisationId), wrong)).toBeUndefined();
    expect(await docks.find(wholeOf(organisationId), right)).toMatchObject({ name: 'Roof', model: 'dock2' });
  });

  it('can be corrected again after the broker was away in the middle', async () => {
    const [wrong, right] = [await aDock(), aSn()];
    broker.down = true;
    await expect(changeDock.correctSn(wholeOf(organisationId), wrong, right)).rejects.toThrow('the broker is away');
    expect(await docks.find(wholeOf(organisationId), wrong)).toBeDefined();
    broker.down = false;
    await changeDock.correctSn(wholeOf(organisationId), wrong, right);
    expect(await docks.find(wholeOf(organisationId), right)).toBeDefined();
  });

  it('is not corrected once the dock has connected, and never onto a dock that exists', async () => {
    const [heard, unheard, other] = [await aDock(), await aDock(), await aDock()];
    await tell(heard, []);
    await expect(changeDock.correctSn(wholeOf(organisationId), heard, aSn())).rejects.toMatchObject({
      code: 'dock_has_connected',
    });
    await expect(changeDock.correctSn(wholeOf(organisationId), unheard, other)).rejects.toMatchObject({
      code: 'dock_exists',
    });
    expect(broker.calls).toEqual([]);
  });
});

describe('a dock that is retired', () => {
  it('loses its user at the broker and its aircraft, and stays to be looked at', async () => {
    const [dock, aircraft] = [await aDock(), aSn()];
    await tell(dock, [aircraft]);
    broker.calls.length = 0;
    await changeDock.retire(wholeOf(organisationId), dock);
    expect(broker.calls).toEqual([`remove ${dock}`]);
    expect([await speakerFor(dock), await speakerFor(aircraft)]).toEqual([undefined, undefined]);
    expect(await docks.find(wholeOf(organisationId), dock)).toMatchObject({ retired_at: expect.any(Date) });
    expect([(await listed(false)).includes(dock), (await listed(true)).includes(dock)]).toEqual([false, true]);
    expect(await docksOfAll.records([dock])).toEqual([]);
    expect(await docksOfAll.search({ organisationId, sns: [dock], limit: 10 })).toEqual([]);
    expect([...(await docksOfAll.speakersFor([dock, aircraft]))]).toEqual([]);
  });

  it('is refused by the broker when it is retired again after the broker was away', async () => {
    const dock = await aDock();
    broker.down = true;
    await expect(changeDock.retire(wholeOf(organisationId), dock)).rejects.toThrow('the broker is away');
    broker.down = false;
    await changeDock.retire(wholeOf(organisationId), dock);
    expect(broker.calls).toEqual([`remove ${dock}`]);
  });

  it('takes no aircraft by a topology that was still under way, and gets no credentials', async () => {
    const [dock, aircraft] = [await aDock(), aSn()];
    await changeDock.retire(wholeOf(organisationId), dock);
    broker.calls.length = 0;
    await tell(dock, [aircraft]);
    expect((await docks.aircraftOf(wholeOf(organisationId), dock)).aircraft).toEqual([]);
    await expect(registerDock.renew(wholeOf(organisationId), dock)).rejects.toMatchObject({ code: 'unknown_dock' });
    expect(broker.calls.filter((call) => call.startsWith('provision'))).toEqual([]);
  });

  it('comes back when it is registered again', async () => {
    const sn = await aDock();
    await changeDock.retire(wholeOf(organisationId), sn);
    await aDock(organisationId, sn);
    expect(await speakerFor(sn)).toBe(sn);
    expect(await listed(false)).toContain(sn);
  });
});
