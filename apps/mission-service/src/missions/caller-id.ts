import type { Principal } from '@aerie/bus-contract';

/** Who did something, as missions keep it: the bare id of a key, as before there were people, or `person:<id>`. */
export const callerIdOf = ({ keyId, personId }: Principal): string =>
  personId === undefined ? keyId : `person:${personId}`;
