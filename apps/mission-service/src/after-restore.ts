// To be run after PostgreSQL was restored and before mission-service starts: ends each mission whose start may have been sent
// since the backup, so that it is not sent again. Prints a JSON line for each. docs/operate/backup.md tells when to give what.
import { parseArgs } from 'node:util';
import { createLogger } from '@aerie/observability';
import { engineOf, openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { z } from 'zod';
import { COMMANDS } from './config.js';
import { SCHEMA, missionDatabase } from './database.js';
import { SettleRestore } from './missions/restore/settle-restore.js';

const USAGE = `Usage: node after-restore.js [--stopped-at INSTANT | --all] [--dry-run]
  --stopped-at INSTANT  until when mission-service may have sent commands, e.g. 2030-01-01T12:00:00Z (default: now)
  --all                 ends every mission that has not started, also those of later days: plans may have been changed
                        since the backup to an earlier time
  --dry-run             prints what has not started and whether it may have been started, and changes nothing`;

function readArguments(): { stoppedAt: Date | null; dryRun: boolean } {
  const { values } = parseArgs({
    options: { 'stopped-at': { type: 'string' }, all: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  });
  const given = values['stopped-at'];
  if (given !== undefined && values.all === true) throw new Error('--stopped-at and --all exclude each other');
  const parsed = z.iso.datetime({ offset: true }).safeParse(given ?? new Date().toISOString());
  if (!parsed.success) {
    throw new Error(`--stopped-at is "${given}"; it must be an instant with its offset, e.g. 2030-01-01T12:00:00Z`);
  }
  const stoppedAt = new Date(parsed.data);
  if (stoppedAt.getTime() > Date.now() + 60_000) {
    throw new Error(`--stopped-at is "${given}", which lies in the future; it must be when the services stopped`);
  }
  return { stoppedAt: values.all === true ? null : stoppedAt, dryRun: values['dry-run'] === true };
}

let options: ReturnType<typeof readArguments>;
try {
  options = readArguments();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
  process.exit(2);
}
const settings = readCommandConfig(COMMANDS['after-restore.js']);
const logger = createLogger('mission-after-restore', 'info', 'stderr');
const dataSource = await openDatabase(missionDatabase(engineOf(settings, SCHEMA), logger, 'chores'), logger);
try {
  const restore = new SettleRestore(dataSource);
  const lines = options.dryRun ? await restore.preview(options) : await restore.settle(options);
  for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
  logger.info({ missions: lines.length }, options.dryRun ? 'nothing was changed' : 'the restore is settled');
} finally {
  await dataSource.destroy();
}
