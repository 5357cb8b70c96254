import {
  Metadata,
  type Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import {
  type Metrics,
  type OpenSpan,
  TRACE_HEADER,
  beginSpan,
  calledFrom,
  isTracing,
  runInTrace,
} from '@aerie/observability';
import { ServerGrpc } from '@nestjs/microservices';
import { LISTEN_LIMITS, type ListenTls, listenOptions } from './listen-tls.js';
import { MAY_HAVE_BEEN_DONE, NOT_ANSWERED, OpenCalls, STOPPING_CODE } from './stopping.js';

interface OpenCall {
  readonly refuse: () => void;
}

/** Answers calls over gRPC, and can stop to listen while it goes on answering what it has. */
export class GrpcAnswers extends ServerGrpc {
  private server: Server | undefined;

  override async createClient(): Promise<Server> {
    const server = (await super.createClient()) as Server;
    this.server = server;
    return server;
  }

  /** Callers go to other replicas from now on. Resolves once all calls have ended. */
  stopListening(): Promise<unknown> {
    return new Promise((resolve) =>
      this.server === undefined ? resolve(undefined) : this.server.tryShutdown(resolve),
    );
  }
}

/** Those of the library itself set no version, and leave the suites to Node. */
export class ListenCredentials extends ServerCredentials {
  constructor(tls: ListenTls) {
    super({ requestCert: false, ...LISTEN_LIMITS }, listenOptions(tls));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Calls that change nothing, by the names that our contracts give them. */
const READS = /\/(Get|List|Watch|Preview)[^/]*$/;

/**
 * The gRPC calls that are open, from their first byte to their status, guards and all. A server that is closed over one
 * tells its caller CANCELLED, as if the caller had done it; so at a planned stop each gets a status of its own first.
 */
export class GrpcCalls {
  private readonly open = new OpenCalls<OpenCall>();
  private readonly seconds;

  constructor(metrics: Metrics) {
    this.seconds = metrics.histogram(
      'grpc_call_seconds',
      'How long a call over gRPC took, to its status, by method and code. A watch takes as long as somebody watches.',
      ['method', 'code'],
    );
  }

  readonly interceptor: ServerInterceptor = ({ path }, call) => {
    let refused = false;
    // Methods that no contract has are refused before, so these are as many as ours.
    const stop = this.seconds.startTimer({ method: path.slice(1) });
    let isTold = false;
    let span: OpenSpan | undefined;
    const tell = (code: status): void => {
      if (isTold) return;
      isTold = true;
      stop({ code: status[code] });
      span?.set({ 'rpc.response.status_code': status[code] });
      if (code === status.UNKNOWN || code === status.INTERNAL) span?.fail(status[code]);
      span?.end();
    };
    const entry: OpenCall = {
      refuse: () => {
        refused = true;
        this.open.delete(entry);
        tell(status.UNAVAILABLE);
        refuse(call, READS.test(path) ? NOT_ANSWERED : MAY_HAVE_BEEN_DONE);
      },
    };
    this.open.add(entry);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, receive) => {
            if (isTracing()) span = traceOf(path, metadata);
            receive(metadata);
          },
          // Its handler is called here.
          onReceiveHalfClose: (receive) => runInTrace(span?.context, receive),
          onCancel: () => {
            tell(status.CANCELLED);
            this.open.delete(entry);
          },
        }),
      // What the handler says after that comes too late.
      sendMetadata: (metadata, next) => {
        if (!refused) next(metadata);
      },
      sendMessage: (message, next) => {
        if (!refused) next(message);
      },
      sendStatus: (answer, next) => {
        if (refused) return;
        next(answer);
        tell(answer.code ?? status.UNKNOWN);
        this.open.delete(entry);
      },
    });
  };

  end(withinMs: number): Promise<void> {
    return this.open.end(withinMs, (call) => call.refuse());
  }
}

function traceOf(path: string, metadata: Metadata): OpenSpan | undefined {
  const method = path.slice(1);
  return beginSpan({
    ...{ name: `call ${method}`, kind: 'server', ...calledFrom(metadata.get(TRACE_HEADER)[0]) },
    attributes: { 'rpc.method': method },
  });
}

function refuse(call: ServerInterceptingCallInterface, details: string): void {
  const metadata = new Metadata();
  metadata.set('problem', JSON.stringify({ status: 503, code: STOPPING_CODE, detail: details }));
  call.sendStatus({ code: status.UNAVAILABLE, details, metadata });
}
