/** Resumes the paused flight, whichever it is. [Cloud API 1.4, flighttask_recovery] */
export { decodeNoData as decodeFlighttaskRecovery, encodeNoData as encodeFlighttaskRecovery } from './no-data.js';
