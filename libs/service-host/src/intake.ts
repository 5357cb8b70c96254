import type { Ready } from './health.js';
import type { ServiceOptions } from './run-service.js';

/** What begins to run once everything listens. The module of a service provides it. */
export class Intake {
  constructor(
    readonly start: () => void,
    readonly ready: () => Ready,
  ) {}
}

/** For `runService`: starts the intake that the module provides, and asks it whether the service can do its work. */
export const withIntake: Required<Pick<ServiceOptions, 'start' | 'ready'>> = {
  start: async (app) => app.get(Intake).start(),
  ready: (app) => app.get(Intake).ready(),
};
