import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { SINCE_VERSION } from '@aerie/http-api';
import { type Message, enumName, timestampOf, wordOf } from '@aerie/grpc-api';
import type { InvalidError } from '@aerie/kernel';
import { STATES } from '@aerie/mission-core';
import { CONTROL_ACTIONS } from '../missions/control/controls.js';
import { readMissionQuery, readNewMission } from '../missions/http/mission.input.js';
import { APPROVAL_STATES, type MissionView } from '../missions/views/mission.view.js';
import { KINDS, bodyOfNewMission, missionMessage, queryOfList } from './mission.messages.js';

const contract = loadSync(MISSION_PROTO, {
  includeDirs: [PROTO_FOLDER],
  longs: Number,
  enums: String,
  oneofs: true,
  arrays: true,
});

interface Described {
  readonly type: { readonly field?: readonly { name: string }[]; readonly value?: readonly { name: string }[] };
}
const described = (name: string): Described['type'] => (contract[`mission.v1.${name}`] as unknown as Described).type;
const fieldsOf = (name: string): string[] => (described(name).field ?? []).map(({ name: field }) => field);
const namesOf = (name: string): string[] => (described(name).value ?? []).map(({ name: value }) => value);

/** As it would travel: written and read again by the library. */
function overTheWire(name: string, message: Message): Message {
  const service = (loadPackageDefinition(contract)['mission'] as never)['v1'] as Record<
    string,
    { service: Record<string, Codec> }
  >;
  const { responseSerialize, responseDeserialize } = service['MissionService']?.service[name] as Codec;
  return responseDeserialize(responseSerialize(message));
}
interface Codec {
  readonly responseSerialize: (message: Message) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Message;
}

const AT = '2030-01-01T12:00:00.250Z';
const STAGE = { verdict: 'no_go', failed: ['battery'], at: AT } as const;
const WHOLE: MissionView = {
  [SINCE_VERSION]: 0,
  id: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
  name: 'North fence',
  dockSn: 'DOCK-1',
  waylineId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb',
  kind: 'conditional',
  state: 'waiting_ready',
  version: 7,
  executeAt: AT,
  prepareAt: AT,
  deadline: AT,
  window: { from: AT, until: AT, batteryAbovePercent: 60 },
  rthAltitudeMeters: 80,
  exitOnRcLost: 'executeLostAction',
  positioning: 'rtk',
  simulate: { latitude: 46.5, longitude: 6.6, altitudeMeters: 450 },
  storageNeededMegabytes: 500,
  flightAreaCheck: true,
  startWindowMs: 20_000,
  startWithinMs: 60_000,
  executeLeadMs: 120_000,
  prepareLeadMs: 900_000,
  approval: {
    ...{ state: 'given', until: null, changedBy: null, decidedBy: 'person:anna', reason: 'Quiet day.' },
    decidedAt: '2030-01-01T10:00:00.000Z',
  },
  resumedFrom: 'cccccccc-cccc-4ccc-8ccc-cccccccccccc',
  attempt: 2,
  startedAt: AT,
  nextActionAt: AT,
  preflight: { plan: STAGE, prepare: STAGE, execute: STAGE },
  cause: {
    code: 'dock_busy',
    text: { en: 'does something else', zh: '忙', retry: 'later', advice: { en: 'wait', zh: '等待' } },
    dockResult: 319_001,
    dockError: { en: 'busy', zh: '忙', retry: 'later', advice: { en: 'wait', zh: '等待' } },
    failedRules: ['dock_idle'],
    final: false,
  } as never,
  progress: { status: 'in_progress', percent: 90, currentStep: 27, waypointIndex: 3, mediaCount: 0, reportedAt: AT },
  resolution: { by: 'person', note: 'unharmed' },
  createdBy: 'key-1',
  createdAt: AT,
  updatedAt: AT,
};

it('has a place in the contract for everything that the HTTP API shows of a mission', () => {
  const renamed = Object.keys(WHOLE).map((field) => (field === 'resolution' ? 'resolutionJson' : field));
  expect(fieldsOf('Mission').sort()).toEqual(renamed.sort());
});

it('loses nothing of a mission on the wire', () => {
  const { mission } = overTheWire('GetMission', { mission: missionMessage(WHOLE) }) as { mission: Message };
  expect(mission).toMatchObject({
    kind: 'MISSION_KIND_CONDITIONAL',
    state: 'MISSION_STATE_WAITING_READY',
    exitOnRcLost: 'RC_LOST_ACTION_EXECUTE_LOST_ACTION',
    positioning: 'POSITIONING_RTK',
    version: 7,
    executeAt: { seconds: 1_893_499_200, nanos: 250_000_000 },
    window: { batteryAbovePercent: 60 },
    simulate: { altitudeMeters: 450 },
    cause: {
      code: 'dock_busy',
      text: { en: 'does something else', adviceZh: '等待' },
      dockResult: 319_001,
      dockError: { zh: '忙', adviceEn: 'wait' },
      failedRules: ['dock_idle'],
    },
    progress: { waypointIndex: 3 },
    preflight: { execute: { verdict: 'VERDICT_NO_GO', failed: ['battery'] } },
    approval: { state: 'APPROVAL_STATE_GIVEN', decidedBy: 'person:anna', decidedAt: { seconds: 1_893_492_000 } },
    resolutionJson: '{"by":"person","note":"unharmed"}',
  });
});

it('leaves out what a mission does not have', () => {
  const bare: MissionView = { ...WHOLE, window: null, simulate: null, cause: null, progress: null, resolution: null };
  const { mission } = overTheWire('GetMission', { mission: missionMessage(bare) }) as { mission: Message };
  for (const field of ['window', 'simulate', 'cause', 'progress', 'resolutionJson']) {
    expect(mission[field] ?? null).toBeNull();
  }
});

it.each([
  ['MissionState', 'MISSION_STATE', STATES],
  ['MissionKind', 'MISSION_KIND', KINDS],
  ['ControlAction', 'CONTROL_ACTION', CONTROL_ACTIONS],
  ['ApprovalState', 'APPROVAL_STATE', APPROVAL_STATES],
])('knows the same words in %s as the service', (name, prefix, words) => {
  expect(namesOf(name).sort()).toEqual(
    [`${prefix}_UNSPECIFIED`, ...words.map((word) => enumName(prefix, word))].sort(),
  );
  for (const word of words) expect(wordOf(prefix, words, enumName(prefix, word))).toBe(word);
});

it('reads a new mission into the body that HTTP would have got', () => {
  const body = bodyOfNewMission({
    dockSn: 'DOCK-1',
    kind: 'MISSION_KIND_TIMED',
    executeAt: timestampOf(AT),
    rthAltitudeMeters: 80,
    exitOnRcLost: 'RC_LOST_ACTION_UNSPECIFIED',
    positioning: 'POSITIONING_UNSPECIFIED',
    window: null,
    simulate: null,
    startWithinMs: 8_000,
  });
  expect(body).toEqual({
    dockSn: 'DOCK-1',
    kind: 'timed',
    executeAt: Date.parse(AT),
    rthAltitudeMeters: 80,
    startWithinMs: 8_000,
  });
});

it('reads a list into the query that HTTP would have got', () => {
  const states = ['MISSION_STATE_MISSED', 'MISSION_STATE_TIMED_OUT'];
  expect(
    queryOfList({ states, order: 'MISSION_ORDER_TIME_DESC', pageSize: 7, kind: 'MISSION_KIND_UNSPECIFIED' }),
  ).toEqual({
    state: 'missed,timed_out',
    sort: '-time',
    limit: 7,
  });
});

describe('a number that has no name in this release', () => {
  const refused = (act: () => unknown): string[] => {
    try {
      act();
      return [];
    } catch (error) {
      return (error as InvalidError).fields.map(({ field }) => field);
    }
  };

  it.each([
    ['order', { order: 99 }, 'order'],
    ['kind', { kind: 99 }, 'kind'],
    ['states', { states: ['MISSION_STATE_MISSED', 99] }, 'state.1'],
    ['states of none', { states: ['MISSION_STATE_UNSPECIFIED'] }, 'state.0'],
  ])('is refused in the %s of a list, and never taken for the default', (_what, message, field) => {
    expect(refused(() => readMissionQuery(queryOfList(message)))).toEqual([field]);
  });

  it.each(['kind', 'exitOnRcLost', 'positioning'])('is refused in the %s of a new mission', (name) => {
    const mission = { dockSn: 'D-1', waylineId: randomUUID(), kind: 'MISSION_KIND_IMMEDIATE', rthAltitudeMeters: 80 };
    expect(refused(() => readNewMission(bodyOfNewMission(mission), Date.now()))).toEqual([]);
    expect(refused(() => readNewMission(bodyOfNewMission({ ...mission, [name]: 99 }), Date.now()))).toEqual([name]);
  });
});

it('keeps to the rules of buf', () => {
  const buf = path.join(PROTO_FOLDER, '..', '..', '..', 'node_modules', '.bin', 'buf');
  const { status, stdout, stderr } = spawnSync(buf, ['lint'], { cwd: PROTO_FOLDER, encoding: 'utf8' });
  expect({ status, problems: `${stdout}${stderr}` }).toEqual({ status: 0, problems: '' });
}, 30_000);
