export { daysKept, readCommandConfig, readConfig } from './config.js';
export { authorities, peer, secret } from './setting-files.js';
export type { Ready } from './health.js';
export { Shutdown, type ShutdownStage } from './shutdown.js';
export { type Chore, Sweeper } from './sweeper.js';
export { Intake, withIntake } from './intake.js';
export { type Host } from './host.js';
export { HostLogger, type ServiceOptions, hostModule, runService } from './run-service.js';
export { type Refusal, RefusalFilter, refusalOf } from './refusal.filter.js';
