/**
 * Cancels the flight that a Dock 1 prepares, while it sets the home point. It answers 326108 when that is not possible
 * now and 326109 when the aircraft is in the air already. [Cloud API 1.11, flight_setup_abort]
 */
export { decodeNoData as decodeFlightSetupAbort, encodeNoData as encodeFlightSetupAbort } from './no-data.js';
