import { z } from 'zod';
import { atSites, isAtSites } from './access.js';

/**
 * A question from one service to another: request/reply over core NATS, never stored. All subjects of questions start
 * with `ask.`: a subject of stream FACTS would be stored and answered by JetStream itself.
 */
export interface Question<Ask, Answer> {
  readonly subject: string;
  readonly ask: z.ZodType<Ask>;
  readonly answer: z.ZodType<Answer>;
  /** After this long the asker gives up. */
  readonly timeoutMs: number;
}

const question = <Ask, Answer>(
  subject: string,
  timeoutMs: number,
  ask: z.ZodType<Ask>,
  answer: z.ZodType<Answer>,
): Question<Ask, Answer> => ({ subject, timeoutMs, ask, answer });

/** Channels that the cloud writes. */
export const downlinkChannel = z.enum(['services', 'events_reply', 'requests_reply', 'status_reply', 'state_reply']);

/**
 * One MQTT message to write now or never. The ingress stamps the envelope's `timestamp`, looks at its clock and its
 * connection as the last thing before the write, and never repeats it by itself.
 */
export const sendAsk = z.object({
  sn: z.string().describe('Serial number of the dock.'),
  channel: downlinkChannel.describe('Tail of the topic to write to.'),
  method: z.string().nullable().describe("The vendor's name of the message; null on channels that have none."),
  tid: z.string().describe('Transaction of the envelope.'),
  bid: z.string().describe('Job of the envelope.'),
  data: z.unknown().describe('Data of the envelope, ready to be written.'),
  sentAtMs: z
    .number()
    .describe(
      "When the sender decided to send, by the database's clock, milliseconds since the epoch. An ingress whose clock " +
        'is earlier by over 1 s refuses.',
    ),
  notAfterMs: z.number().describe('No byte leaves at or after this instant, milliseconds since the epoch.'),
});
export type SendAsk = z.infer<typeof sendAsk>;

/** Why an ingress refuses that has no connection to the broker. Another one may have one. */
export const NOT_CONNECTED = 'not connected to the broker';

export const sendAnswer = z.object({
  outcome: z
    .enum(['refused', 'written', 'unknown'])
    .describe(
      '`refused`: proven that no byte was handed over, or the broker said that nobody is subscribed. `written`: the ' +
        'broker has acknowledged. `unknown`: everything else; only the dock can tell.',
    ),
  reason: z.string().optional().describe('Why it was refused, or why nobody knows.'),
  dockIsAway: z
    .boolean()
    .optional()
    .describe('The broker says that nobody is subscribed: the dock is not connected. Absent: it does not say so.'),
});
export type SendAnswer = z.infer<typeof sendAnswer>;

export const sendQuestion = question('ingress.v1.send', 10_000, sendAsk, sendAnswer);

/** Commands in one question, at most: what an ingress that is cut off leaves without an answer. */
export const SEND_TOGETHER = 20;

export const sendManyAsk = z.object({
  items: z
    .array(sendAsk)
    .min(1)
    .max(SEND_TOGETHER)
    .describe('Each is written or refused by itself, in this order; clock and connection are looked at before each.'),
});

export const sendManyAnswer = z.object({
  index: z.int().min(0).describe('Which of the items this answers, from 0.'),
  answer: sendAnswer.describe('What became of it.'),
});

/**
 * Many messages in one question. Answers come one by one, each as soon as it is known; what has none when they end, or
 * after the time of the question, is unknown.
 */
export const sendManyQuestion = question('ingress.v1.sendMany', 10_000, sendManyAsk, sendManyAnswer);

export const dockModel = z.enum(['dock1', 'dock2', 'dock3']);
export type DockModel = z.infer<typeof dockModel>;

export const dockPosition = z.object({
  latitude: z.number().describe('Degrees, north is positive.'),
  longitude: z.number().describe('Degrees, east is positive.'),
  source: z.enum(['dock', 'operator']).describe('Who said so last: the dock itself, or an operator.'),
  setAt: z.iso.datetime().describe('Since when this position holds. RFC 3339, UTC.'),
});
export type DockPosition = z.infer<typeof dockPosition>;

export const dockRecord = z.object({
  sn: z.string().describe('Serial number of the dock.'),
  organisationId: z.string().describe('Whose dock it is.'),
  model: dockModel.describe('Which of the stations it is.'),
  protocolGeneration: z.string().describe('Version of the protocol that its firmware speaks, e.g. `1.15`.'),
  name: z.string().describe('For people.'),
  aircraftSn: z.string().nullable().describe('Serial number of the aircraft that its last topology bound to it.'),
  position: dockPosition
    .nullish()
    .describe('Last known position. Null: unknown. Absent: this release of fleet-service does not keep it.'),
  aircraftModelKey: z
    .string()
    .nullable()
    .optional()
    .describe(
      'Model of the aircraft, `0-<type>-<sub type>`, as its topology or its binding named it. Null: neither did. ' +
        'Left out by earlier releases.',
    ),
  reportedModel: dockModel
    .nullable()
    .optional()
    .describe('The station that its topology or its binding named. Null: neither did. Left out by earlier releases.'),
});
export type DockRecord = z.infer<typeof dockRecord>;

/** Which dock speaks under this serial number: the dock itself, or the dock whose last topology bound this aircraft. */
export const dockQuestion = question(
  'ask.fleet.v1.dock.get',
  2_000,
  z.object({ sn: z.string().describe('Serial number of a dock or of an aircraft.') }),
  z.object({ dock: dockRecord.nullable().describe('Null: none that is known.') }),
);

/** As the question before for many serial numbers at once, and only which dock it is. */
export const speakersQuestion = question(
  'ask.fleet.v1.speakers.get',
  2_000,
  z.object({ sns: z.array(z.string()).max(500).describe('Serial numbers of docks or of aircraft.') }),
  z.object({
    speakers: z
      .array(
        z.object({
          sn: z.string().describe('The serial number that was asked for.'),
          dockSn: z.string().describe('The dock that speaks under it.'),
        }),
      )
      .describe('Those of them that are known.'),
  }),
);

/** Many docks at once, each by its own serial number. */
export const docksQuestion = question(
  'ask.fleet.v1.docks.get',
  2_000,
  z.object({ sns: z.array(z.string()).max(500).describe('Serial numbers of docks.') }),
  z.object({ docks: z.array(dockRecord).describe('Those of them that are known.') }),
);

export const dockStateView = z.object({
  sn: z.string().describe('Serial number of the dock.'),
  seenAgoMs: z
    .number()
    .nullable()
    .describe('How long ago the dock was last heard, ms; null: never since the state was last wiped.'),
  backAgoMs: z
    .number()
    .nullable()
    .describe(
      'How long ago the dock was heard again after a silence in which it could have flown, or heard first, ms. Null: never heard.',
    ),
  clockSkewMs: z
    .number()
    .nullable()
    .describe(
      "How far the device's clock is behind ours, ms, negative when it is ahead; the smallest of the last minute, so " +
        'that delays on the way do not count. Null: not measured.',
    ),
  idleAgoMs: z
    .number()
    .nullish()
    .describe('How long ago the dock last said that it is idle, ms. Null: never, since the state was last wiped.'),
  busyForMs: z
    .number()
    .nullish()
    .describe('How long it has said since that it is not, ms. Null: its last word was idle, or nobody knows.'),
  properties: z
    .record(
      z.string(),
      z.object({
        value: z.unknown().describe('As the device sent it.'),
        agoMs: z.number().describe('How long ago, ms.'),
      }),
    )
    .describe('Last value of each property and how old it is.'),
  position: dockPosition
    .nullish()
    .describe('Last known position of the dock. Null: unknown. Absent: not available, see the properties.'),
});
export type DockStateView = z.infer<typeof dockStateView>;

/**
 * The properties that decide whether a dock may fly and whether it does. fleet-service has them at hand even while Redis
 * is away. [Cloud API, dock properties]
 */
export const FLIGHT_GATE_PROPERTIES = [
  'mode_code',
  'flighttask_step_code',
  'drone_in_dock',
  'cover_state',
  'emergency_stop_state',
  'drone_charge_state',
  'drone_battery_maintenance_info',
  'rainfall',
  'wind_speed',
  'environment_temperature',
  'storage',
  'position_state',
  'alternate_land_point',
  'compatible_status',
  'latitude',
  'longitude',
  'sub_device',
] as const;

/** The freshest state of up to 500 docks at once: all properties, or only those that are named. */
export const dockStateQuestion = question(
  'ask.fleet.v1.dockState.get',
  1_000,
  z.object({
    sns: z.array(z.string()).max(500).describe('Serial numbers of docks.'),
    properties: z.array(z.string()).max(64).optional().describe('Only these properties. Default: all.'),
  }),
  z.object({ docks: z.array(dockStateView).describe('One for each that was asked for.') }),
);

/**
 * Who holds this API key. The key itself crosses only this private bus and is never stored. Services of releases before
 * 0.3.0 ask this, and know no roles: only a key that may do everything is answered here.
 */
export const apiKeyQuestion = question(
  'ask.fleet.v1.apiKey.verify',
  2_000,
  z.object({ key: z.string().describe('The key as the caller sent it.') }),
  z.object({
    principal: z
      .object({
        keyId: z.string().describe('Id of the key.'),
        organisationId: z.string().describe('Whose key it is.'),
      })
      .nullable()
      .describe('Null: not known, or no longer valid.'),
  }),
);

/** What one holder may be limited to: a list that nobody can survey lets in too many. */
export const MOST_SITES_OF_HOLDER = 10;
/** Each statement for a limited holder carries the serial numbers of its docks, and so does each answer about it. */
export const MOST_DOCKS_OF_SITE = 200;
const MOST_REACHED_DOCKS = MOST_SITES_OF_HOLDER * MOST_DOCKS_OF_SITE;

/**
 * Who holds this API key or this token of a session, and what that may do. The bearer itself crosses only this private bus and
 * is never stored.
 */
export const principalQuestion = question(
  'ask.fleet.v1.principal.find',
  2_000,
  z.object({
    key: z.string().describe('The key or token as the caller sent it.'),
    address: z.string().describe('The address from which it came.'),
  }),
  z.object({
    principal: z
      .object({
        keyId: z.string().describe('Id of the key, or of the session of a person.'),
        personId: z.string().nullish().describe('The person whose session it is. Null or left out: it is a key.'),
        organisationId: z.string().describe('Whose key it is.'),
        roles: z
          .array(z.string())
          .describe(
            'The roles that it has. A role that the reader does not know permits nothing. With `@sites` behind each where ' +
              'it is limited to sites.',
          ),
        siteIds: z
          .array(z.string())
          .nullish()
          .describe('Ids of the sites that it is limited to. Null or left out: it is not limited.'),
        dockSns: z
          .array(z.string())
          .max(MOST_REACHED_DOCKS)
          .nullish()
          .describe('Serial numbers of the docks at these sites. Null or left out: it is not limited.'),
        validForMs: z.number().describe('How long this answer may be believed, milliseconds.'),
      })
      .nullable()
      .describe('Null: not known, no longer valid, or not valid from this address.'),
  }),
);

/** Keys of one question, at most: a mission has two who planned and changed it. */
const MOST_KEYS = 10;

/**
 * The people behind API keys: who made a key, a key with which it was made, or a key that it replaces. A program is no person;
 * what it does is done for them.
 */
export const keyMakersQuestion = question(
  'ask.fleet.v1.apiKey.makers',
  2_000,
  z.object({
    organisationId: z.string().describe('Whose keys they are.'),
    keyIds: z.array(z.string()).max(MOST_KEYS).describe('Ids of keys, valid or not.'),
  }),
  z.object({
    keys: z
      .array(
        z.object({
          keyId: z.string().describe('Id of the key.'),
          personIds: z.array(z.string()).describe('Ids of people. Empty: a command beside the service made it.'),
        }),
      )
      .describe('One for each that there is.'),
  }),
);

/** Who calls, what that may do, and which docks it reaches. */
export interface Principal {
  /** Id of the key, or of the session of a person. */
  readonly keyId: string;
  /** Undefined: no person, but whoever holds the key. */
  readonly personId?: string | undefined;
  readonly organisationId: string;
  /** What is none of `ROLES` permits nothing, but for one that has `@sites` behind it. */
  readonly roles: readonly string[];
  /** Ids of the sites that it is limited to. Null: the whole organisation. */
  readonly siteIds: readonly string[] | null;
  /** Serial numbers of the docks at these sites. Null: the whole organisation. */
  readonly dockSns: readonly string[] | null;
}

/** What says of a holder which docks it reaches. Roles at sites without their sites reach none. */
export function sitesOf(
  roles: readonly string[],
  siteIds: readonly string[] | null | undefined,
  dockSns: readonly string[] | null | undefined,
): Pick<Principal, 'roles' | 'siteIds' | 'dockSns'> {
  if (siteIds == null && dockSns == null && !roles.some(isAtSites)) return { roles, siteIds: null, dockSns: null };
  const limited = roles.map((role) => (isAtSites(role) ? role : atSites(role)));
  return { roles: limited, siteIds: siteIds ?? [], dockSns: dockSns ?? [] };
}

/** `person:<id>` or `key:<id>`: what is kept of who did something. */
export const callerName = ({ keyId, personId }: Pick<Principal, 'keyId' | 'personId'>): string =>
  personId === undefined ? `key:${keyId}` : `person:${personId}`;

const presignDownloadAsk = z.object({
  organisationId: z.string().describe('Whose object it is.'),
  objectKey: z.string().describe('Key of the object in the storage.'),
  lifetimeSeconds: z.number().int().min(30).max(86_400).describe('How long the URL works, seconds.'),
  saveAs: z.string().max(200).optional().describe('Makes a browser save the object under this name.'),
  dockSn: z.string().optional().describe('The dock that is to read it, for the ledger.'),
  reachableBy: z
    .enum(['dock', 'service'])
    .optional()
    .describe('Who is to fetch it: signed for the address that docks use, or that services use. Default: `dock`.'),
  askedBy: z.string().max(100).optional().describe('The service that asks, for the ledger. Default: `unknown`.'),
  reason: z.string().max(200).optional().describe('What it is for, for the ledger.'),
});
export type PresignDownloadAsk = z.infer<typeof presignDownloadAsk>;

const presignedDownload = z.object({
  url: z.string().describe('Fetched by a plain GET. A secret for as long as it works.'),
  expiresAtMs: z.number().describe('Until when it works, milliseconds since the epoch.'),
});

/** A URL with which a dock may read one object for a short time. Made anew for each message, never stored. */
export const presignDownloadQuestion = question(
  'ask.credential.v1.download.presign',
  3_000,
  presignDownloadAsk,
  presignedDownload,
);

/** Addresses in one question, at most. */
export const PRESIGN_TOGETHER = 100;

const presignManyAnswer = z.object({
  downloads: z
    .array(
      z.union([
        presignedDownload,
        z.object({
          refusal: z
            .object({
              code: z.string().describe('Why there is none, for programs.'),
              message: z.string().describe('The same for people.'),
            })
            .describe('There is no address for this one.'),
        }),
      ]),
    )
    .describe('One for each that was asked for, in the same order.'),
});
export type PresignedDownload = z.infer<typeof presignManyAnswer>['downloads'][number];

/** The same for many objects at once, each answered by itself. An earlier release of credential-service does not know it. */
export const presignDownloadsQuestion = question(
  'ask.credential.v1.downloads.presign',
  3_000,
  z.object({
    downloads: z.array(presignDownloadAsk).min(1).max(PRESIGN_TOGETHER).describe('As in the question for one of them.'),
  }),
  presignManyAnswer,
);

/**
 * Keys with which a dock uploads the files of one attempt of a log upload. Made when the message to the dock is written;
 * they are never stored. Asked again, the same keys come back as long as they live long enough.
 */
export const uploadKeysQuestion = question(
  'ask.credential.v1.uploadKeys.issue',
  10_000,
  z.object({
    organisationId: z.string().describe('Whose dock it is.'),
    dockSn: z.string().describe('Serial number of the dock.'),
    uploadId: z.string().describe('Id of the log upload.'),
    attempt: z.number().int().min(1).max(99).describe('Number of the attempt; each has a folder and keys of its own.'),
    sizeBytes: z.number().int().min(0).describe('How much is expected to be uploaded; the life of the keys follows.'),
    askedBy: z.string().max(100).describe('The service that asks, for the ledger.'),
    reason: z.string().max(200).describe('What it is for, for the ledger.'),
  }),
  z.object({
    provider: z.enum(['ali', 'aws', 'minio']).describe('As docks are told.'),
    endpoint: z.string().describe('The storage as docks reach it.'),
    region: z.string().describe('Region that signatures name.'),
    bucket: z.string().describe('The bucket.'),
    prefix: z.string().describe('Keys work below it and nowhere else; ends in a slash.'),
    accessKeyId: z.string().describe('Id of the keys.'),
    secretAccessKey: z.string().describe('A secret.'),
    sessionToken: z.string().describe('A secret.'),
    expiresAtMs: z.number().describe('Until when they work, milliseconds since the epoch.'),
  }),
);

const storedObject = z.object({
  objectKey: z.string().describe('Key of the object.'),
  sizeBytes: z.number().describe('Its size, bytes.'),
  etag: z
    .string()
    .describe('As the storage names its content, without quotes; the MD5 only of what was uploaded in one piece.'),
});
export type StoredObject = z.infer<typeof storedObject>;

const organisationId = z.string().describe('Whose storage it is. Every key lies below `org/` and this id.');

/** Which of these objects are in the storage. No answer at all when the storage cannot say. */
export const headObjectsQuestion = question(
  'ask.credential.v1.objects.head',
  10_000,
  z.object({ organisationId, objectKeys: z.array(z.string()).max(20).describe('Keys of the objects.') }),
  z.object({ objects: z.array(storedObject).describe('Those of them that are there.') }),
);

/** What lies below a prefix. */
export const listObjectsQuestion = question(
  'ask.credential.v1.objects.list',
  10_000,
  z.object({
    organisationId,
    prefix: z.string().describe('Ends in a slash.'),
    limit: z.number().int().min(1).max(100).describe('How many are told at most.'),
  }),
  z.object({ objects: z.array(storedObject).describe('In the order of their keys.') }),
);

/** Deletes objects, and takes what is not there for deleted. */
export const deleteObjectsQuestion = question(
  'ask.credential.v1.objects.delete',
  10_000,
  z.object({ organisationId, objectKeys: z.array(z.string()).max(20).describe('Keys of the objects.') }),
  z.object({ deletedKeys: z.array(z.string()).describe('Those that are gone; ask again for the others.') }),
);

/**
 * Takes a dock for something that is no mission, from now until an instant, or moves that instant. A dock that exports
 * logs refuses missions, so no mission may be due before. Asked again with the same holder it means the same.
 */
export const takeDockQuestion = question(
  'ask.mission.v1.dock.take',
  5_000,
  z.object({
    organisationId: z.string().describe('Whose dock it is.'),
    dockSn: z.string().describe('Serial number of the dock.'),
    model: dockModel.describe('Which of the stations it is.'),
    protocolGeneration: z.string().describe('Version of the protocol that its firmware speaks.'),
    holderId: z.uuid().describe('The log upload that wants it.'),
    generation: z
      .number()
      .int()
      .min(0)
      .describe('Grows each time that this holder begins anew with the dock; a release gives back no later one.'),
    notAfterMs: z
      .number()
      .describe(
        'After this instant nobody waits for the answer, and the dock is not taken. Milliseconds since the epoch.',
      ),
    forMs: z.number().int().min(1_000).max(21_600_000).describe('How long it is needed from now on, ms; 6 h at most.'),
    yields: z
      .boolean()
      .describe('Whether a mission may be planned over it: then the holder is told that the dock is needed.'),
  }),
  z.object({
    untilMs: z
      .number()
      .nullable()
      .describe("The dock is the holder's until then, milliseconds since the epoch. Null: it is not."),
    refusal: z
      .object({
        because: z
          .enum(['mission', 'log_upload', 'flight', 'withdrawn'])
          .describe(
            '`mission`: one is due before. `log_upload`: another one has the dock. `flight`: the dock flies. ' +
              '`withdrawn`: it was taken back from this holder, who must stop.',
          ),
        holderId: z.string().nullable().describe('The mission or upload that has it.'),
        freeAtMs: z.number().nullable().describe('When to ask again at the earliest, where that is known.'),
      })
      .nullable()
      .describe('Why not; null where it is.'),
  }),
);

/** Gives a dock back. Asked again it means the same. */
export const releaseDockQuestion = question(
  'ask.mission.v1.dock.release',
  5_000,
  z.object({
    dockSn: z.string().describe('Serial number of the dock.'),
    holderId: z.uuid().describe('The log upload that had it.'),
    generation: z.number().int().min(0).describe('That of the take, or a later one.'),
  }),
  z.object({ released: z.boolean().describe('False: it had it no more.') }),
);

/**
 * Whether fleet-service may cut a dock off at the broker. A yes holds back every start on the dock until the given
 * instant, so that no flight begins between the answer and the cut. Asked again with the same id it is a yes, and moves
 * the instant. No answer means no.
 */
export const cutOffDockQuestion = question(
  'ask.mission.v1.dock.cutOff',
  5_000,
  z.object({
    organisationId: z.string().describe('Whose dock it is.'),
    dockSn: z.string().describe('Serial number of the dock.'),
    model: dockModel.describe('Which of the stations it is.'),
    protocolGeneration: z.string().describe('Version of the protocol that its firmware speaks.'),
    cutOffId: z.int().min(1).describe('Number of the cut-off. A later one of the same dock is greater.'),
    untilMs: z
      .number()
      .nullable()
      .describe('Starts are held back until then, milliseconds since the epoch. Null: until it is ended.'),
    notAfterMs: z
      .number()
      .describe('After this instant nobody waits for the answer, and it is no. Milliseconds since the epoch.'),
  }),
  z.object({
    granted: z.boolean().describe('Whether the dock may be cut off now.'),
    because: z
      .enum(['flight', 'unknown_outcome', 'other_flight', 'aircraft_out', 'not_known'])
      .nullable()
      .describe(
        '`flight`: a mission of the dock flies or is being started. `unknown_outcome`: nobody knows how one ended. ' +
          '`other_flight`: the dock reports a flight that was not planned here. `aircraft_out`: the dock said last that ' +
          'its aircraft is not inside. `not_known`: nobody could say. Null: granted.',
      ),
    missionId: z.string().nullable().describe('The mission that stands in the way, where there is one.'),
  }),
);

/** Ends a cut-off: starts on the dock are no longer held back. Asked again it means the same. */
export const endCutOffQuestion = question(
  'ask.mission.v1.dock.endCutOff',
  5_000,
  z.object({
    dockSn: z.string().describe('Serial number of the dock.'),
    cutOffId: z.int().min(1).describe('Number of the cut-off. A later one stays.'),
  }),
  z.object({ ended: z.boolean().describe('False: nothing was held back.') }),
);

/** Docks of an organisation by what they are, in the order of their serial numbers. */
export const findDocksQuestion = question(
  'ask.fleet.v1.docks.find',
  2_000,
  z.object({
    organisationId: z.string().describe('Whose docks.'),
    sns: z.array(z.string()).max(500).optional().describe('Only these. Default: all.'),
    models: z.array(dockModel).optional().describe('Only these models. Default: all.'),
    nameContains: z.string().max(100).optional().describe('Only docks whose name holds this text, in any case.'),
    after: z.string().optional().describe('Begin after this serial number.'),
    limit: z.number().int().min(1).max(500).describe('How many are told at most.'),
  }),
  z.object({ docks: z.array(dockRecord).describe('Fewer than the limit: there are no more.') }),
);
