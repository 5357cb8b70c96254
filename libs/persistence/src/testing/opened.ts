import { createLogger } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { openDatabase } from '../open-database.js';

const logger = createLogger('testing', 'silent');

/** Opens a pool as services do: a machine that is busy with other tests may be longer at it than one connection may take. */
export const opened = (source: DataSource): Promise<DataSource> => openDatabase(source, logger);
