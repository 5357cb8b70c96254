import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { UnavailableError } from '@aerie/kernel';
import type { DatabaseOf } from '@aerie/persistence';
import { dockAcls } from '../dock/dock-acls.js';
import { BrokerUsers } from './broker-users.js';

/** What a client wants to do at the broker. */
export type BrokerAction = 'publish' | 'subscribe';

interface UserRow {
  readonly salt: Buffer;
  readonly password_hash: Buffer;
  readonly disabled: boolean;
  readonly aircraft_sns: string[];
}

const SALT_BYTES = 16;

/**
 * Users of docks for a broker that asks us at each connection, publication and subscription (EMQX, over HTTP). They lie in
 * our database; what a dock may do is the same list that mosquitto's plugin gets. A connection that is open when its dock is kept
 * out stays open: whatever it does is refused from then on, once the broker has forgotten what it asked before.
 */
export class AskedBroker extends BrokerUsers {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {
    super();
  }

  override async provision(dockSn: string, password: string): Promise<void> {
    const salt = randomBytes(SALT_BYTES);
    await this.run(
      `INSERT INTO fleet.broker_user (dock_sn, salt, password_hash) VALUES ($1, $2, $3)
       ON CONFLICT (dock_sn) DO UPDATE SET salt = excluded.salt, password_hash = excluded.password_hash,
         updated_at = clock_timestamp()`,
      [dockSn, salt, hashOf(salt, password)],
    );
  }

  override grantAircraft(dockSn: string, aircraftSns: readonly string[]): Promise<void> {
    return this.run(
      'UPDATE fleet.broker_user SET aircraft_sns = $2, updated_at = clock_timestamp() WHERE dock_sn = $1',
      [dockSn, [...aircraftSns]],
    );
  }

  override disable(dockSn: string): Promise<void> {
    return this.setDisabled(dockSn, true);
  }

  override enable(dockSn: string): Promise<void> {
    return this.setDisabled(dockSn, false);
  }

  override remove(dockSn: string): Promise<void> {
    return this.run('DELETE FROM fleet.broker_user WHERE dock_sn = $1', [dockSn]);
  }

  /**
   * Whether a client is who it says it is. Its client id has to be its user name: with another it could take over the session
   * of another dock, or of the ingress.
   */
  async mayConnect(username: string, clientId: string, password: string): Promise<boolean> {
    if (clientId !== username) return false;
    const user = await this.find(username);
    if (user === undefined || user.disabled) return false;
    return timingSafeEqual(user.password_hash, hashOf(user.salt, password));
  }

  /** Whether a user may publish to a topic, or subscribe to it. Topics are exact: a wildcard is another topic. */
  async may(username: string, action: BrokerAction, topic: string): Promise<boolean> {
    const user = await this.find(username);
    if (user === undefined || user.disabled) return false;
    const wanted = action === 'publish' ? 'publishClientSend' : 'subscribeLiteral';
    return dockAcls(username, user.aircraft_sns).some(
      (rule) => rule.acltype === wanted && rule.topic === topic && rule.allow,
    );
  }

  private async find(dockSn: string): Promise<UserRow | undefined> {
    const [row] = await this.dataSource.query<UserRow[]>(
      'SELECT salt, password_hash, disabled, aircraft_sns FROM fleet.broker_user WHERE dock_sn = $1',
      [dockSn],
    );
    return row;
  }

  private setDisabled(dockSn: string, disabled: boolean): Promise<void> {
    return this.run('UPDATE fleet.broker_user SET disabled = $2, updated_at = clock_timestamp() WHERE dock_sn = $1', [
      dockSn,
      disabled,
    ]);
  }

  private async run(statement: string, parameters: unknown[]): Promise<void> {
    try {
      await this.dataSource.query(statement, parameters);
    } catch (error) {
      throw new UnavailableError('broker_unavailable', 'the users of the broker cannot be changed now, try again', {
        cause: error,
      });
    }
  }
}

const hashOf = (salt: Buffer, password: string): Buffer =>
  createHash('sha256').update(salt).update(password, 'utf8').digest();
