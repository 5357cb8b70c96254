import { TOPOLOGY, type Topology } from '@aerie/bus-contract';
import type { Finding } from '@aerie/kernel';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { JETSTREAM_NOT_ENABLED_FOR_ACCOUNT, STREAM_NOT_FOUND, isApiError } from './api-errors.js';
import { type NatsConnection, forbiddenIn, streamReplicasOf } from './connection.js';
import { StreamsRefusedError, declareTopology } from './declare.js';

/** Several filter subjects on one consumer came with it. */
const LEAST_VERSION = [2, 10] as const;
const WHAT = 'NATS';
const MEBIBYTE = 1024 * 1024;

const errorAt = (field: string, message: string): Finding => ({ what: WHAT, field, message, isError: true });
const warningAt = (field: string, message: string): Finding => ({ what: WHAT, field, message, isError: false });

/**
 * Examines the server, and each stream once all are declared. Rejects while JetStream does not answer; of a cluster that
 * has no leader yet that is so for some seconds.
 */
export async function examineNats(connection: NatsConnection, topology: Topology = TOPOLOGY): Promise<Finding[]> {
  const { info } = connection;
  if (info === undefined) throw new Error('the connection to NATS is not open');
  const wanted = streamReplicasOf(connection);
  const findings: Finding[] = [];
  const [major = 0, minor = 0] = info.version.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_VERSION;
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    findings.push(
      errorAt('version', `is ${info.version}, and ${LEAST_VERSION.join('.')} is the least: upgrade the server`),
    );
  }
  if (info.jetstream !== true) {
    return [
      ...findings,
      errorAt('jetstream', 'is not enabled: start the server with -js, or with a block jetstream {}'),
    ];
  }
  const isCluster = (info as { readonly cluster?: string }).cluster !== undefined;
  if (wanted > 1 && !isCluster) {
    const message = `is ${wanted}, and the server is no cluster: set it to 1, or run ${wanted} servers or more`;
    return [...findings, errorAt('NATS_STREAM_REPLICAS', message)];
  }
  if (isCluster && wanted === 1) {
    const message = 'is 1, and the server is a cluster: a server that is lost takes streams along; set it to 3';
    findings.push(warningAt('NATS_STREAM_REPLICAS', message));
  }
  try {
    const manager = await jetstreamManager(connection);
    findings.push(...(await findRoom(manager, topology, wanted)));
    const refused = await refusedStreams(connection, topology);
    findings.push(...refused, ...(await findStreams(manager, topology, wanted)));
  } catch (error) {
    const forbidden = forbiddenIn(error);
    if (forbidden !== undefined) {
      const message = `do not let our user ${forbidden.operation} ${forbidden.subject}: see docs/operate/peers.md`;
      return [...findings, errorAt('permissions', message)];
    }
    // The library wraps it. Without that cause it means that nobody answered, and somebody may later.
    const { cause } = error as { readonly cause?: unknown };
    if (!isApiError(cause, JETSTREAM_NOT_ENABLED_FOR_ACCOUNT)) throw error;
    findings.push(errorAt('jetstream', 'is not enabled for our account: add jetstream: enabled to it'));
  }
  return findings;
}

/** All streams that are full need so much. */
async function findRoom(manager: JetStreamManager, topology: Topology, wanted: number): Promise<Finding[]> {
  const { limits } = await manager.getAccountInfo();
  const needed = topology.streams.reduce((sum, { maxBytes }) => sum + maxBytes * wanted, 0);
  const { max_storage: room } = limits;
  if (room < 0 || room >= needed) return [];
  const [has, wants] = [room, needed].map((bytes) => Math.floor(bytes / MEBIBYTE));
  return [warningAt('max_file_store', `is ${has} MiB for our account, and full streams need ${wants} MiB: raise it`)];
}

/** It keeps nobody from reading the others, so it is no error; the log of each consumer names it again. */
async function refusedStreams(connection: NatsConnection, topology: Topology): Promise<Finding[]> {
  try {
    await declareTopology(connection, topology);
    return [];
  } catch (error) {
    if (!(error instanceof StreamsRefusedError)) throw error;
    const { message: reason } = error.cause as Error;
    return error.streams.map((name) => warningAt(`stream ${name}`, `was refused by the server: ${reason}`));
  }
}

async function findStreams(manager: JetStreamManager, topology: Topology, wanted: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name } of topology.streams) {
    try {
      const { num_replicas: has } = (await manager.streams.info(name)).config;
      if (has >= wanted) continue;
      const message = `has ${has} replicas, and NATS_STREAM_REPLICAS wants ${wanted}: add servers, or ask for fewer`;
      findings.push(errorAt(`stream ${name}`, message));
    } catch (error) {
      // The server refused it, which is told beside.
      if (!isApiError(error, STREAM_NOT_FOUND)) throw error;
    }
  }
  return findings;
}
