import { BUS_RIGHTS, type BusRights, type BusUser } from '@aerie/bus-contract';

/** One user in a configuration of NATS. `password` is written as it is: a quoted text, or a variable. */
export interface NatsUser {
  readonly user: string;
  readonly password: string;
  /** Null: it may do everything. */
  readonly rights: BusRights | null;
}

/** A program, or the commands that people type, with what the table gives it. */
export const limitedNatsUser = (user: BusUser, password: string): NatsUser => ({
  user,
  password,
  rights: BUS_RIGHTS[user],
});

/** The block of a configuration of nats-server that knows these users and no others. */
export const natsAuthorization = (users: readonly NatsUser[]): string =>
  ['authorization {', '  users: [', ...users.map(userLine), '  ]', '}', ''].join('\n');

const userLine = ({ user, password, rights }: NatsUser): string =>
  `    { user: "${user}", password: ${password}${rights === null ? '' : `, permissions: ${permissions(rights)}`} }`;

const permissions = ({ publish, subscribe, responses }: BusRights): string => {
  const answers =
    responses === null ? '' : `, allow_responses: { max: ${responses.max}, expires: "${responses.expires}" }`;
  return `{ publish: { allow: ${list(publish)} }, subscribe: { allow: ${list(subscribe)} }${answers} }`;
};

const list = (subjects: readonly string[]): string => `[${subjects.map((subject) => `"${subject}"`).join(', ')}]`;
