import { PROVISIONER } from '@aerie/bus-contract';

/** The servers of a site, each with the name by which the others reach it. */
export const SERVERS = ['postgres', 'nats', 'valkey', 'mosquitto'] as const;
export type ServerName = (typeof SERVERS)[number];

/** Something that proves who a program is to a peer. What is for the database is in database-logins.ts. */
export type Peer = 'database' | 'nats' | 'redis' | 'mqtt' | 's3';

/** Which peers a program speaks to; it gets nothing for others. */
export const PROGRAMS = {
  'mqtt-ingress': ['nats', 'mqtt'],
  'fleet-service': ['database', 'nats', 'redis', 'mqtt'],
  'mission-service': ['database', 'nats', 'redis', 's3'],
  'log-service': ['database', 'nats', 'redis'],
  'credential-service': ['database', 'nats', 's3'],
  'object-store': ['s3'],
  // Owns the schemas: runs the migrations of all services, and nothing else does.
  migrator: ['database'],
  // Makes the roles of the database, as its owner.
  'database-roles': ['database'],
  // The commands that people type to narrow the topology and to send letters again.
  [PROVISIONER]: ['nats'],
} satisfies Readonly<Record<string, readonly Peer[]>>;
export type ProgramName = keyof typeof PROGRAMS;
export const PROGRAM_NAMES = Object.keys(PROGRAMS) as ProgramName[];

/** The programs that speak to a peer. */
export const whoSpeaksTo = (peer: Peer): ProgramName[] =>
  PROGRAM_NAMES.filter((name) => (PROGRAMS[name] as readonly Peer[]).includes(peer));
