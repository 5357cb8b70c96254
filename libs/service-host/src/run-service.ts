import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Peer } from '@aerie/kernel';
import {
  type Logger,
  Metrics,
  type TraceSettings,
  createLogger,
  nestLogger,
  sayWhileAwaited,
  startTraces,
} from '@aerie/observability';
import { countUnknownFields, natsOptions } from '@aerie/messaging';
import { showCertificates } from './certificates-in-use.js';
import { type Ready, healthRoutes, refuseWhileStarting } from './health.js';
import { GrpcAnswers, GrpcCalls, ListenCredentials } from './grpc-calls.js';
import { HttpRequests } from './http-requests.js';
import { ListeningAdapter, ServiceServer } from './http-server.js';
import { NatsAnswers, QuestionsInWork } from './nats-answers.js';
import type { Host } from './host.js';
import type { ListenTls } from './listen-tls.js';
import { Shutdown } from './shutdown.js';

/** How long a planned stop may take before the process ends anyway. Below Kubernetes' usual 30 s. */
const STOP_LIMIT_MS = 20_000;
/** How long calls in work have for their answer at a planned stop. Those that wait for a lock or a dock end by then. */
const CALLS_LIMIT_MS = 5_000;

export interface ServiceOptions {
  readonly name: string;
  readonly httpPort: number;
  readonly httpHost: string;
  readonly logLevel: string;
  /** What HTTP and gRPC show. With it nothing of them is plain but `loopbackPort`. */
  readonly tls?: ListenTls | undefined;
  /** Plain HTTP for callers of this machine alone, beside TLS. */
  readonly loopbackPort?: number | undefined;
  /** Where its spans go. Without it nothing is traced. */
  readonly traces?: TraceSettings;
  /** Answers questions over NATS when given. */
  readonly nats?: Peer | string;
  /** Answers calls over gRPC when given. */
  readonly grpc?: {
    readonly host: string;
    readonly port: number;
    readonly package: string;
    readonly protoFolder: string;
    readonly protoFile: string;
  };
  /** Wires the service. Called once, before anything listens. */
  readonly compose: (host: Host) => Promise<DynamicModule>;
  /** Extends the HTTP application, e.g. with filters. Called before it listens. */
  readonly http?: (app: NestExpressApplication, host: Host) => void;
  /** Starts intake, after everything listens. */
  readonly start?: (app: NestExpressApplication, host: Host) => Promise<void>;
  /** True while the service can do its work, or what it lacks; shown at `/readyz`. */
  readonly ready?: (app: NestExpressApplication) => Ready | Promise<Ready>;
}

/** A module that offers the host's parts to all others. */
export function hostModule(host: Host): DynamicModule {
  const providers = [
    { provide: HostLogger, useValue: new HostLogger(host.logger) },
    { provide: Metrics, useValue: host.metrics },
    { provide: Shutdown, useValue: host.shutdown },
  ];
  return { module: HostModule, global: true, providers, exports: providers };
}

@Module({})
class HostModule {}

/** The logger as a class, so that it can be a token. */
export class HostLogger {
  constructor(readonly logger: Logger) {}
}

/** No message of ours is anywhere near this. */
const MAX_GRPC_BYTES = 1024 * 1024;

/** How one way of being called ends. */
interface Answering {
  readonly name: string;
  /** Nothing new comes in. */
  readonly leave: () => Promise<unknown>;
  /** What came in is answered, within that time. */
  readonly end: (withinMs: number) => Promise<unknown>;
}

const stopHttp = (server: ServiceServer): Answering => ({
  name: 'HTTP',
  leave: () => server.stopListening(),
  end: (withinMs) => server.end(withinMs),
});

function answerOverNats(app: NestExpressApplication, nats: Peer | string, name: string): Answering {
  const strategy = new NatsAnswers({ ...natsOptions(nats, `${name}-answers`), queue: name });
  const questions = new QuestionsInWork();
  app
    .connectMicroservice<MicroserviceOptions>({ strategy }, { inheritAppConfig: false, deferInitialization: true })
    .useGlobalInterceptors(questions);
  return {
    name: 'NATS',
    leave: () => strategy.leaveGroups(),
    end: async (withinMs) => {
      await questions.end(withinMs);
      // Nest publishes an answer in the next turn.
      await new Promise((resolve) => setImmediate(resolve));
      await atMost(FLUSH_LIMIT_MS, strategy.flush());
    },
  };
}

function answerOverGrpc(
  app: NestExpressApplication,
  { host, port, ...contract }: NonNullable<ServiceOptions['grpc']>,
  tls: ListenTls | undefined,
  metrics: Metrics,
): Answering {
  const calls = new GrpcCalls(metrics);
  const strategy = new GrpcAnswers({
    url: `${host}:${port}`,
    package: contract.package,
    protoPath: contract.protoFile,
    loader: { includeDirs: [contract.protoFolder], longs: Number, enums: String, oneofs: true, arrays: true },
    maxReceiveMessageLength: MAX_GRPC_BYTES,
    ...(tls === undefined ? {} : { credentials: new ListenCredentials(tls) }),
    // A caller that went away without a word is noticed, and its watch ends.
    keepalive: { keepaliveTimeMs: 30_000, keepaliveTimeoutMs: 10_000 },
    channelOptions: { interceptors: [calls.interceptor] },
  });
  app.connectMicroservice<MicroserviceOptions>({ strategy }, { inheritAppConfig: false });
  let allEnded: Promise<unknown> = Promise.resolve();
  return {
    name: 'gRPC',
    leave: async () => {
      allEnded = strategy.stopListening();
    },
    end: async (withinMs) => {
      await calls.end(withinMs);
      await atMost(FLUSH_LIMIT_MS, allEnded);
    },
  };
}

const LOOPBACK = '127.0.0.1';
const NOT_TRACED: TraceSettings = { collector: undefined, share: 0 };

/** Answers are written within this time, or their caller has gone. */
const FLUSH_LIMIT_MS = 1_000;

async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, limitMs)))]);
  clearTimeout(timer);
}

function onStop(
  { shutdown, logger }: Host,
  app: NestExpressApplication,
  servers: readonly ServiceServer[],
  answering: readonly Answering[],
): void {
  for (const { name, leave } of answering) shutdown.on('intake', name, leave);
  shutdown.on('calls', 'calls in work', async () => {
    await Promise.all(
      answering.map(({ name, end }) =>
        end(CALLS_LIMIT_MS).catch((error: unknown) => logger.warn({ err: error, name }, 'failed to end calls')),
      ),
    );
    await app.close();
    for (const { http } of servers) http.closeAllConnections();
  });
}

/** Boots one service and stays until SIGTERM or SIGINT. An error while booting ends the process with code 1. */
export async function runService(options: ServiceOptions): Promise<void> {
  const logger = createLogger(options.name, options.logLevel);
  const host: Host = { logger, metrics: new Metrics(options.name), shutdown: new Shutdown() };
  countUnknownFields(host.metrics);
  showCertificates(host.metrics);
  let app: NestExpressApplication | undefined;

  let started = false;
  const health = healthRoutes(host, () => (app === undefined || !started ? false : (options.ready?.(app) ?? true)));
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    health(request, response, () => refuseWhileStarting(options.name, response));
  const server = new ServiceServer(answer, undefined, options.tls);
  const inside = options.loopbackPort === undefined ? undefined : new ServiceServer(answer);
  const servers = inside === undefined ? [server] : [server, inside];

  const stop = async (reason: string, code: number): Promise<void> => {
    if (host.shutdown.stopping) return;
    logger.info({ reason }, 'stopping');
    setTimeout(() => process.exit(code || 1), STOP_LIMIT_MS).unref();
    await host.shutdown.run(logger);
    logger.info('stopped');
    process.exit(code);
  };
  process.once('SIGTERM', () => void stop('SIGTERM', 0));
  process.once('SIGINT', () => void stop('SIGINT', 0));
  // Never go on half-dead: what is not handled is a bug, and the supervisor starts us again.
  process.on('unhandledRejection', (error) => {
    // A handler may find its answer given by the stop.
    if (host.shutdown.stopping) return void logger.warn({ err: error }, 'unhandled rejection while stopping');
    logger.fatal({ err: error }, 'unhandled rejection');
    void stop('unhandledRejection', 1);
  });

  try {
    await server.listen(options.httpPort, options.httpHost);
    await inside?.listen(options.loopbackPort ?? 0, LOOPBACK);
    const traces = options.traces ?? NOT_TRACED;
    const stopTraces = await startTraces(options.name, traces, host.metrics, logger);
    host.shutdown.on('storage', 'traces', stopTraces);
    const module = await options.compose(host);
    app = await NestFactory.create<NestExpressApplication>(
      module,
      new ListeningAdapter(server, inside, health, new HttpRequests(host.metrics)),
      {
        logger: nestLogger(logger),
        bodyParser: false,
        abortOnError: false,
      },
    );
    app.disable('x-powered-by');
    options.http?.(app, host);
    const stopAnswering = servers.map(stopHttp);
    if (options.nats !== undefined) stopAnswering.push(answerOverNats(app, options.nats, options.name));
    if (options.grpc !== undefined) stopAnswering.push(answerOverGrpc(app, options.grpc, options.tls, host.metrics));
    onStop(host, app, servers, stopAnswering);
    const starting = app.startAllMicroservices();
    await (options.nats === undefined ? starting : sayWhileAwaited('NATS', logger, () => starting));
    await app.listen(options.httpPort, options.httpHost);
    await options.start?.(app, host);
    started = true;
    logger.info({ port: options.httpPort }, 'ready');
  } catch (error) {
    logger.fatal({ err: error }, 'failed to start');
    await stop('failed to start', 1);
  }
}
