import type { DataSource } from 'typeorm';
import { EVERY_DOCK, ORGANISATION_SETTING, PERSON_SETTING } from './access/policies.js';
import type { DatabaseOf } from './data-source.js';
import type { Setting } from './open-transaction.js';
import { BEGINNING, type Beginning, type Begins, alone } from './transaction.js';

/** The rows of one organisation, or of one person, for single statements and for `inTransaction`. */
export class OrganisationRows implements Begins {
  readonly [BEGINNING]: Beginning;

  constructor(beginning: Beginning) {
    this[BEGINNING] = beginning;
  }

  /** One statement, which is a transaction of its own. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await alone<Row>(this[BEGINNING], sql, parameters)).rows;
  }

  /**
   * The same for a statement that finds rows by their keys and is asked all the time: it is planned once for whatever keys.
   * Not where conditions come and go with what is asked: a plan for all of them is bad for each.
   */
  async queryByKeys<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    return (await alone<Row>(this[BEGINNING], sql, parameters, true)).rows;
  }

  /** The same for a statement that changes rows; says how many. */
  async run(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    return (await alone(this[BEGINNING], sql, parameters)).rowCount;
  }
}

/** As an array of PostgreSQL; in quotes, since a serial number may be `NULL`. */
const arrayOf = (dockSns: readonly string[] | null): string =>
  dockSns === null ? EVERY_DOCK : `{${dockSns.map((sn) => JSON.stringify(sn)).join(',')}}`;

/** How somebody is found who is not known yet. */
export interface Finder {
  readonly whom: 'organisation' | 'person';
  /** A function with the rights of its owner, which gives an id and nothing else: `fleet.organisation_of_key`. */
  readonly finder: string;
}

/** What somebody reaches of an organisation. A caller is one of these. */
export interface Reach {
  readonly organisationId: string;
  /** Serial numbers of the docks that it is limited to. Null: the whole organisation. */
  readonly dockSns: readonly string[] | null;
}

/** The whole organisation, for what was asked of somebody who may look at all of it, or is about its docks without being asked. */
export const wholeOf = (organisationId: string): Reach => ({ organisationId, dockSns: null });

export const reachesDock = ({ dockSns }: Pick<Reach, 'dockSns'>, dockSn: string): boolean =>
  dockSns === null || dockSns.includes(dockSn);

/** A condition of a list: `parameter` holds `dockSns`, which are hashed once for the statement. */
export const amongDocks = (parameter: string, column = 'dock_sn'): string =>
  `(${parameter}::text[] IS NULL OR ${column} IN (SELECT unnest(${parameter}::text[])))`;

/** The same text for those who reach the same: what they ask for at the same time may share a statement. */
export const reachKeyOf = ({ organisationId, dockSns }: Reach): string =>
  `${organisationId.toLowerCase()} ${arrayOf(dockSns)}`;

/**
 * For what requests and the engine both do: whoever does it names the organisation whose rows it is about, and which of its docks.
 * With the id alone no row of a dock is reached: PostgreSQL raises where a statement asks for one.
 */
export interface Organisations {
  of(whose: string | Reach): OrganisationRows;
}

/**
 * What requests are given of a database: no statement without the organisation that it is for. PostgreSQL is told which in
 * the packet that begins the transaction, and lets no row of another through, whatever the statement says.
 */
export class ApiDatabase implements Organisations {
  readonly #pool: DataSource;

  constructor(pool: DatabaseOf<'api'>) {
    this.#pool = pool;
  }

  of(whose: string | Reach): OrganisationRows {
    if (typeof whose === 'string') return this.begin({ name: ORGANISATION_SETTING, value: whose });
    const { organisationId, dockSns } = whose;
    return this.begin({ name: ORGANISATION_SETTING, value: organisationId, docks: arrayOf(dockSns) });
  }

  /** What is a person's own, in whatever organisation. */
  ofPerson(personId: string): OrganisationRows {
    return this.begin({ name: PERSON_SETTING, value: personId });
  }

  /** As `of` or `ofPerson`, where something is presented by which PostgreSQL finds whom it is of: nobody, where it is not known. */
  ofWhom({ whom, finder }: Finder, presented: string): OrganisationRows {
    return this.begin({ name: whom === 'person' ? PERSON_SETTING : ORGANISATION_SETTING, value: presented, finder });
  }

  private begin(setting: Setting): OrganisationRows {
    return new OrganisationRows({ pool: this.#pool, setting });
  }
}

/** For what is begun by a request and goes on by itself. */
export interface Databases {
  readonly api: ApiDatabase;
  readonly engine: DatabaseOf<'engine'>;
}

/** The engine works over all organisations, and no policy asks it which; here it does what requests do too. */
export const ofAnyOrganisation = (engine: DatabaseOf<'engine'>): Organisations => ({ of: () => rowsOfAll(engine) });

export const rowsOfAll = (engine: DatabaseOf<'engine'>): OrganisationRows => new OrganisationRows({ pool: engine });
