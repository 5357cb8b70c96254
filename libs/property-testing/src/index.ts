export { RUNS, RUNS_TIMEOUT_MS } from './runs.js';
