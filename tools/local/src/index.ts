export { type Replica, Stack } from './stack/stack.js';
export { COST_SETTINGS, Meter } from './commands/cost/meter.js';
export { type Measured, measureAccept, measureProgress, measureRest, measureTrickle } from './commands/cost/stories.js';
export { replay } from './commands/replay.js';
export { Api, type Answer, type DockConnection, good, registerDock } from './stack/api.js';
export { hasEnded } from './stack/has-ended.js';
export { INFRASTRUCTURE_NAMES } from './infrastructure/infrastructure.js';
export { SERVICE_NAMES, type ServiceName } from './stack/services.js';
export { isAlive } from './infrastructure/processes.js';
