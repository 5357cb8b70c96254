import type { Finder } from '@aerie/persistence';

// Functions of the migration "rows of one organisation" and of a later one: each gives the id of whom something is of that is presented.
// Whether what is presented is right, is looked at with the rows of that organisation or person alone.
export const BY_KEY: Finder = { whom: 'organisation', finder: 'fleet.organisation_of_key' };
export const BY_SESSION: Finder = { whom: 'organisation', finder: 'fleet.organisation_of_session' };
export const BY_INVITATION: Finder = { whom: 'organisation', finder: 'fleet.organisation_of_invitation' };
export const BY_PROVIDER: Finder = { whom: 'organisation', finder: 'fleet.organisation_of_provider' };
export const BY_EMAIL: Finder = { whom: 'person', finder: 'fleet.person_of' };
export const BY_PASSKEY: Finder = { whom: 'person', finder: 'fleet.person_of_passkey' };
