export { type DockHandle, type DockState, startDock } from './handle.js';
export { type FleetOptions, fleetSn, startFleet } from './fleet.js';
export { type AskResource, type DockOptions, aircraftSnOf } from './settings.js';
export {
  type AnsweredEvent,
  type Fact,
  type FactName,
  type FlownFlight,
  type ReceivedCommand,
  type SentEvent,
  type SentReply,
  type UploadedLog,
  type UploadedMedia,
} from './journal.js';
export { type LogBoot, type LogModule } from './logs/log-boots.js';
export { type AircraftModel, type DockModel } from './models.js';
export { type Dialect } from './wire.js';
export { type StepNumbering } from './steps.js';
export { type Home } from './flight-plan.js';
export { makeSampleKmz, type SampleKmzOptions } from './sample-kmz.js';
