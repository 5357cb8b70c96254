import type { Logger } from '@aerie/observability';
import type { MqttClient } from 'mqtt';
import { cutSession } from './session.js';

export interface KeptLinkOptions {
  readonly name: string;
  readonly logger: Logger;
  /** Opens a connection and subscribes; rejects when that fails. */
  readonly open: () => Promise<MqttClient>;
  /** Whether it makes sense to be connected now; asked before each try. */
  readonly wanted: () => boolean;
}

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 2_000;
const WANTED_POLL_MS = 100;

/** Keeps one MQTT connection open: after each loss a new client, after a growing and random delay. */
export class KeptLink {
  private client: MqttClient | undefined;
  private stopped = false;
  private failures = 0;
  /** Counts connections: what began on one must not end on another. */
  epoch = 0;

  constructor(private readonly options: KeptLinkOptions) {}

  start(): void {
    void this.run();
  }

  /** The open connection, or undefined while there is none. */
  get current(): MqttClient | undefined {
    return this.client?.connected === true ? this.client : undefined;
  }

  /** Cuts the connection; it comes back by itself once it is wanted. */
  drop(): void {
    const { client } = this;
    this.client = undefined;
    if (client) cutSession(client);
  }

  /** Gives the connection to `finish` for an orderly end, and opens no other. */
  async stop(finish: (client: MqttClient) => Promise<void>): Promise<void> {
    this.stopped = true;
    const client = this.current;
    if (client) await finish(client);
    this.drop();
  }

  private async run(): Promise<void> {
    const { name, logger, open, wanted } = this.options;
    while (!this.stopped) {
      if (!wanted()) {
        await delay(WANTED_POLL_MS);
        continue;
      }
      try {
        const client = await open();
        if (this.stopped || !wanted()) {
          cutSession(client);
          continue;
        }
        this.client = client;
        this.epoch++;
        this.failures = 0;
        logger.info({ link: name }, 'connected to the broker');
        if (client.connected) await new Promise<void>((resolve) => client.once('close', () => resolve()));
        client.end(true);
        if (!this.stopped) logger.warn({ link: name }, 'lost the broker, reconnecting');
      } catch (error) {
        this.failures++;
        logger.warn({ err: error, link: name }, 'failed to connect to the broker');
      }
      // Full jitter, so that many links do not come back in one instant.
      await delay(Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures));
    }
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
