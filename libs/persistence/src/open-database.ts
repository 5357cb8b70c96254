import { InvalidError, PEER_NAMES, tlsProblem } from '@aerie/kernel';
import { type Logger, retryUntilReached } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { peerOf } from './data-source.js';
import { isOutage } from './database-errors.js';

/**
 * Opens a data source, and waits for a PostgreSQL that is away, for as long as it is away. A server that refuses us
 * (password, database), or that TLS refuses, is no outage: that error is thrown, because only a person can mend it.
 */
export function openDatabase(dataSource: DataSource, logger: Logger): Promise<DataSource> {
  return retryUntilReached({
    what: 'PostgreSQL',
    logger,
    isPassing: (error) => !(error instanceof InvalidError) && isOutage(error),
    attempt: async () => {
      try {
        return await dataSource.initialize();
      } catch (error) {
        // It may have failed with its pool open, and the next attempt makes another.
        await dataSource.driver.disconnect().catch(() => undefined);
        const peer = peerOf(dataSource);
        throw (peer && tlsProblem(error, peer, PEER_NAMES.postgres)) ?? error;
      }
    },
  });
}
