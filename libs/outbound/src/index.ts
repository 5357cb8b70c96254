export { type Agents, Outbound } from './outbound.js';
