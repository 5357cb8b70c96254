// Registers many docks, one as JSON on each line of standard input: {"sn","model","name"[,"protocolGeneration"]
// [,"aircraftSn"]}. Their users are written into the file of mosquitto's dynamic security plugin, whose broker must be
// at rest, and what each dock needs to connect is printed, one line for each. Secrets: keep the output as one.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { AppError } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import { engineOf, openDatabase } from '@aerie/persistence';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';
import { SCHEMA, fleetDatabase } from './database.js';
import { type SecurityFile, withDocks } from './docks/broker/security-file.js';
import { importDocks, readDocks } from './docks/import-docks.js';

const { FLEET_DOCK_MQTT_URL: mqttUrl, ...settings } = readCommandConfig(COMMANDS['import-docks.js']);
const { values } = parseArgs({ options: { 'broker-file': { type: 'string' } } });
const file = values['broker-file'];
if (file === undefined) fail('Say which file to write: --broker-file dynamic-security.json');

const logger = createLogger('fleet-import', 'info', 'stderr');
const dataSource = await openDatabase(fleetDatabase(engineOf(settings, SCHEMA), logger, 'work'), logger);
try {
  const docks = readDocks(await text(process.stdin));
  const before = JSON.parse(readFileSync(file, 'utf8')) as SecurityFile;
  const imported = await importDocks(dataSource, docks);
  const users = imported.map(({ sn, aircraftSn, mqttPassword }) => ({
    sn,
    aircraftSns: aircraftSn === undefined ? [] : [aircraftSn],
    mqttPassword,
  }));
  // Should it end here, `POST /docks/{sn}/credentials` gives a dock its user.
  writeFileSync(`${file}.new`, JSON.stringify(withDocks(before, users), null, 1), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  for (const { sn, mqttPassword, bindingCode, organisationId } of imported) {
    process.stdout.write(
      `${JSON.stringify({ sn, mqttUrl, mqttUser: sn, mqttPassword, organisationId, bindingCode })}\n`,
    );
  }
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  fail(`Nothing was written: ${error.message}`);
} finally {
  await dataSource.destroy();
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
