/** Stops a return: the aircraft hovers and does not continue its wayline. [Cloud API 1.4, return_home_cancel] */
export { decodeNoData as decodeReturnHomeCancel, encodeNoData as encodeReturnHomeCancel } from './no-data.js';
