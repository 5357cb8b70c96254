export { type InProcess, startInProcess } from './start-in-process.js';
