import type { BootChecks } from '@aerie/service-host';
import type { Logger, Metrics } from '@aerie/observability';
import type { DatabaseOf } from '@aerie/persistence';
import type { Config } from '../../config.js';
import { AskedBroker } from './asked-broker.js';
import { type BrokerDoor, brokerDoor } from './broker-door.js';
import type { BrokerUsers } from './broker-users.js';
import { DynamicSecurity } from './dynamic-security.js';

export interface BrokerOptions {
  readonly config: Config;
  readonly dataSource: DatabaseOf<'engine'>;
  readonly checks: BootChecks;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** How users of docks get to the broker of this installation. */
export class BrokerConnection {
  private constructor(
    readonly users: BrokerUsers,
    /** True, or what is waited for. */
    readonly ready: () => true | string,
    readonly stop: () => Promise<void>,
    /** Where the broker asks, if it does. */
    readonly door?: BrokerDoor,
  ) {}

  static open({ config, dataSource, checks, metrics, logger }: BrokerOptions): BrokerConnection {
    const { FLEET_BROKER_SECRET: secret, MQTT_URL: broker, MQTT_USER: username, MQTT_PASSWORD: password } = config;
    if (secret !== undefined) {
      const asked = new AskedBroker(dataSource);
      const nothing = (): Promise<void> => Promise.resolve();
      return new BrokerConnection(asked, () => true, nothing, brokerDoor(asked, secret, metrics, logger));
    }
    if (broker === undefined || username === undefined || password === undefined) {
      throw new Error('the configuration has no broker: it was not checked');
    }
    const security = new DynamicSecurity({ broker, username, password, logger });
    checks.examine('the MQTT broker', () => security.examine());
    return new BrokerConnection(
      security,
      () => security.connected || 'waiting for the MQTT broker',
      () => security.stop(),
    );
  }
}
