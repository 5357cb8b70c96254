// Examines the storage of the environment as a dock would, prints what it found, and ends with 1 where something is
// wrong. Needs no database and no running service: `npm run storage:doctor`.
import { deploymentStorageOf, loadDoctorConfig } from './config.js';
import { examine } from './doctor/examine.js';
import { linesOf } from './doctor/print-report.js';
import { NO_ORGANISATION } from './doctor/run-doctor.js';
import { openProvider } from './providers/open-provider.js';
import { Outbound } from '@aerie/outbound';

const config = loadDoctorConfig(process.env);
const storage = deploymentStorageOf(config);
const clock = { nowMs: () => Date.now() };
const agents = new Outbound(true, config.S3_CA_FILE).agents();
const provider = openProvider(storage, agents, clock);
const browserOrigin = config.CREDENTIAL_BROWSER_ORIGIN ?? null;
const steps = await examine({ storage, provider, agents, organisationId: NO_ORGANISATION, browserOrigin, clock });
process.stdout.write(`${linesOf(steps).join('\n')}\n`);
provider.stop();
agents.httpAgent.destroy();
agents.httpsAgent.destroy();
process.exitCode = steps.some(({ verdict }) => verdict === 'failed') ? 1 : 0;
