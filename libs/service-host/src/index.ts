export { type BrokerNeeds, type Connack, brokerFindings } from './broker-findings.js';
export { BootChecks } from './boot-checks.js';
export {
  auditMonths,
  databaseSettings,
  daysKept,
  listenSettings,
  proxyHops,
  readCommandConfig,
  readConfig,
  requestLimits,
  streamReplicas,
  traceSettings,
  tracesOf,
} from './config.js';
export { type CommandSettings, type ProgramSettings, readCommandSettings, readSettings } from './program-settings.js';
export { authorities, peer, secret } from './setting-files.js';
export { LISTEN_LIMITS, type ListenTls } from './listen-tls.js';
export type { Ready } from './health.js';
export { Shutdown, type ShutdownStage } from './shutdown.js';
export { showSweepers } from './show-sweepers.js';
export { type Chore, Sweeper } from './sweeper.js';
export { Intake, withIntake } from './intake.js';
export { type Host } from './host.js';
export { HostLogger, type ServiceOptions, hostModule, runService } from './run-service.js';
export { type Refusal, RefusalFilter, refusalOf } from './refusal.filter.js';
