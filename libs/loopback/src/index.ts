export { accepts, freePort, freePorts, isPortFree, listening } from './ports.js';
