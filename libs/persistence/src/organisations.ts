import type { DataSource } from 'typeorm';
import { ORGANISATION_SETTING, PERSON_SETTING } from './access/policies.js';
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

/** How somebody is found who is not known yet. */
export interface Finder {
  readonly whom: 'organisation' | 'person';
  /** A function with the rights of its owner, which gives an id and nothing else: `fleet.organisation_of_key`. */
  readonly finder: string;
}

/** For what requests and the engine both do: whoever does it names the organisation whose rows it is about. */
export interface Organisations {
  of(organisationId: string): OrganisationRows;
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

  of(organisationId: string): OrganisationRows {
    return this.begin({ name: ORGANISATION_SETTING, value: organisationId });
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
