import {
  apiKeyQuestion,
  cutOffDockQuestion,
  deleteObjectsQuestion,
  dockQuestion,
  dockStateQuestion,
  docksQuestion,
  endCutOffQuestion,
  findDocksQuestion,
  headObjectsQuestion,
  keyMakersQuestion,
  listObjectsQuestion,
  presignDownloadQuestion,
  presignDownloadsQuestion,
  principalQuestion,
  releaseDockQuestion,
  SEND_TOGETHER,
  sendManyQuestion,
  sendQuestion,
  speakersQuestion,
  takeDockQuestion,
  uploadKeysQuestion,
} from './questions.js';
import {
  CONSUMERS,
  type ConsumerSpec,
  DEAD_LETTER_STREAM,
  DOCK_STREAM,
  FACTS_STREAM,
  OVERFLOW_STREAM,
  RETIRED_CONSUMERS,
  STREAMS,
} from './streams.js';
import {
  FLOOD_SUBJECTS,
  INGRESS_LINKS_SUBJECT,
  NOTE_SUBJECTS,
  OSD_SUBJECTS,
  RAW_OSD_SUBJECTS,
  overflowSubjectsOf,
} from './subjects.js';

/** The programs on the bus, each with a user of its own name. */
export const BUS_PROGRAMS = [
  'mqtt-ingress',
  'fleet-service',
  'mission-service',
  'log-service',
  'credential-service',
] as const;
export type BusProgram = (typeof BUS_PROGRAMS)[number];

/** The user of the commands that people type: they delete consumers that nobody reads, and letters that were sent again. */
export const PROVISIONER = 'provisioner';
export const BUS_USERS = [...BUS_PROGRAMS, PROVISIONER] as const;
export type BusUser = (typeof BUS_USERS)[number];

/** Names under which the commands connect. */
export const NARROW_TOPOLOGY = 'narrow-topology';
export const REPLAY_DEAD_LETTERS = 'replay-dead-letters';

/** Answers come to subjects below it, which nobody else may listen to. `name`: of a connection. */
export const inboxPrefixOf = (name: string): string => `_INBOX_${name}`;

/** What a user of NATS may do; nothing else. */
export interface BusRights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Whoever answers may write to the inbox of the asker: so many messages for each question, for so long. */
  readonly responses: { readonly max: number; readonly expires: string } | null;
}

type Subject = { readonly subject: string };

/** Who asks what. A question that its asker leaves out here is refused by the server. */
const ASKS: Readonly<Record<BusProgram, readonly Subject[]>> = {
  'mqtt-ingress': [],
  'fleet-service': [sendQuestion, cutOffDockQuestion, endCutOffQuestion],
  'mission-service': [
    sendQuestion,
    sendManyQuestion,
    dockQuestion,
    docksQuestion,
    dockStateQuestion,
    findDocksQuestion,
    speakersQuestion,
    principalQuestion,
    apiKeyQuestion,
    keyMakersQuestion,
    presignDownloadQuestion,
    presignDownloadsQuestion,
  ],
  'log-service': [
    sendQuestion,
    dockQuestion,
    docksQuestion,
    dockStateQuestion,
    findDocksQuestion,
    speakersQuestion,
    principalQuestion,
    apiKeyQuestion,
    presignDownloadQuestion,
    uploadKeysQuestion,
    headObjectsQuestion,
    listObjectsQuestion,
    deleteObjectsQuestion,
    takeDockQuestion,
    releaseDockQuestion,
  ],
  'credential-service': [sendQuestion, docksQuestion, principalQuestion, apiKeyQuestion],
};

const ANSWERS: Readonly<Record<BusProgram, readonly Subject[]>> = {
  'mqtt-ingress': [sendQuestion, sendManyQuestion],
  'fleet-service': [
    dockQuestion,
    docksQuestion,
    dockStateQuestion,
    findDocksQuestion,
    speakersQuestion,
    principalQuestion,
    apiKeyQuestion,
    keyMakersQuestion,
  ],
  'mission-service': [takeDockQuestion, releaseDockQuestion, cutOffDockQuestion, endCutOffQuestion],
  'log-service': [],
  'credential-service': [
    presignDownloadQuestion,
    presignDownloadsQuestion,
    uploadKeysQuestion,
    headObjectsQuestion,
    listObjectsQuestion,
    deleteObjectsQuestion,
  ],
};

const UPLINK_SUBJECTS = [...DOCK_STREAM.subjects, 'bulk.v1.>'];
const factsOf = (service: string): readonly string[] =>
  FACTS_STREAM.subjects.filter((subject) => subject.startsWith(`${service}.`));

/** What each program says and hears beside questions. */
const SAYS: Readonly<Record<BusProgram, readonly string[]>> = {
  'mqtt-ingress': [
    ...UPLINK_SUBJECTS,
    overflowSubjectsOf(undefined),
    RAW_OSD_SUBJECTS,
    OSD_SUBJECTS,
    NOTE_SUBJECTS,
    FLOOD_SUBJECTS,
    INGRESS_LINKS_SUBJECT,
  ],
  'fleet-service': [...factsOf('fleet'), NOTE_SUBJECTS],
  'mission-service': [...factsOf('mission'), NOTE_SUBJECTS],
  'log-service': factsOf('log'),
  'credential-service': [],
};
const HEARS: Readonly<Record<BusProgram, readonly string[]>> = {
  'mqtt-ingress': [INGRESS_LINKS_SUBJECT],
  'fleet-service': [RAW_OSD_SUBJECTS, OSD_SUBJECTS, NOTE_SUBJECTS, FLOOD_SUBJECTS],
  'mission-service': [],
  'log-service': [],
  'credential-service': [],
};

const API = '$JS.API';
type Durable = Pick<ConsumerSpec, 'stream' | 'durable'>;

/** A consumer of two releases may have one name. */
const DURABLES: readonly Durable[] = [...CONSUMERS, ...RETIRED_CONSUMERS];
const durablesOf = (program: BusProgram): readonly Durable[] =>
  [...CONSUMERS, ...RETIRED_CONSUMERS].filter(({ service }) => `${service}-service` === program);

/**
 * What every program needs to declare the topology: whoever comes first after a JetStream that was wiped makes it whole.
 * Only our own streams and consumers by their names, and nothing that deletes.
 */
const DECLARES: readonly string[] = [
  `${API}.INFO`,
  ...STREAMS.flatMap(({ name }) => ['INFO', 'CREATE', 'UPDATE'].map((verb) => `${API}.STREAM.${verb}.${name}`)),
  ...DURABLES.flatMap(({ stream, durable }) =>
    ['INFO', 'CREATE', 'DURABLE.CREATE'].map((verb) => `${API}.CONSUMER.${verb}.${stream}.${durable}`),
  ),
];

/** Takes messages from a consumer and settles them. Acknowledgements of newer servers begin with domain and account. */
const reads = ({ stream, durable }: Durable): readonly string[] => [
  `${API}.CONSUMER.MSG.NEXT.${stream}.${durable}`,
  `$JS.ACK.${stream}.${durable}.>`,
  `$JS.ACK.*.*.${stream}.${durable}.>`,
];

const subjectsOf = (questions: readonly Subject[]): readonly string[] => questions.map(({ subject }) => subject);

/** One question for many commands has an answer for each, and one that says that there are no more. */
const MOST_ANSWERS = SEND_TOGETHER + 1;
/** Far longer than anybody waits for an answer. */
const ANSWERED_WITHIN = '1m';

const rightsOfProgram = (program: BusProgram): BusRights => ({
  publish: [
    ...SAYS[program],
    ...DEAD_LETTER_STREAM.subjects,
    ...subjectsOf(ASKS[program]),
    ...DECLARES,
    ...durablesOf(program).flatMap(reads),
  ],
  subscribe: [...HEARS[program], ...subjectsOf(ANSWERS[program]), `${inboxPrefixOf(program)}.>`],
  responses: ANSWERS[program].length === 0 ? null : { max: MOST_ANSWERS, expires: ANSWERED_WITHIN },
});

const PROVISIONER_RIGHTS: BusRights = {
  publish: [
    ...UPLINK_SUBJECTS,
    ...DECLARES,
    ...DURABLES.map(({ stream, durable }) => `${API}.CONSUMER.DELETE.${stream}.${durable}`),
    ...[DEAD_LETTER_STREAM, OVERFLOW_STREAM].flatMap(({ name }) =>
      ['GET', 'DELETE'].map((verb) => `${API}.STREAM.MSG.${verb}.${name}`),
    ),
  ],
  subscribe: [NARROW_TOPOLOGY, REPLAY_DEAD_LETTERS].map((name) => `${inboxPrefixOf(name)}.>`),
  responses: null,
};

const unique = (subjects: readonly string[]): readonly string[] => [...new Set(subjects)];

/**
 * What each user of NATS may do: what its program does, and nothing else. The one table: a site, the local run and tests
 * write the configuration of their server from it, so a subject that a program lacks here is missed in the first test.
 */
export const BUS_RIGHTS: Readonly<Record<BusUser, BusRights>> = Object.fromEntries(
  BUS_USERS.map((user) => {
    const rights = user === PROVISIONER ? PROVISIONER_RIGHTS : rightsOfProgram(user);
    return [user, { ...rights, publish: unique(rights.publish), subscribe: unique(rights.subscribe) }];
  }),
) as unknown as Readonly<Record<BusUser, BusRights>>;
