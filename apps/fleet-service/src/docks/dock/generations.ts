// The protocol's milestones under our own roof, so that the controller can check them.
export { GENERATIONS, NEWEST_GENERATION } from '@aerie/dji-protocol';
