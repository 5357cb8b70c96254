/**
 * Pauses whatever flies: the command names no flight, so check first what is flying. While paused the dock sends no
 * progress. [Cloud API 1.4, flighttask_pause]
 */
export { decodeNoData as decodeFlighttaskPause, encodeNoData as encodeFlighttaskPause } from './no-data.js';
