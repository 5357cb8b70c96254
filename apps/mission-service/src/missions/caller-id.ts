import type { Principal } from '@aerie/bus-contract';

/** Nobody planned it: a flight goes on by itself. Whoever looks at who planned a mission sees that. */
export const BY_POLICY = 'auto-resume';

/** Who did something, as missions keep it: the bare id of a key, as before there were people, or `person:<id>`. */
export const callerIdOf = ({ keyId, personId }: Principal): string =>
  personId === undefined ? keyId : `person:${personId}`;
