export { RUNS, RUNS_TIMEOUT_MS } from './runs.js';
export { expectEqual } from './expect-equal.js';
