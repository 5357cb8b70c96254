import {
  type Client,
  type ClientReadableStream,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  credentials,
  makeGenericClientConstructor,
} from '@grpc/grpc-js';
import { type ServiceDefinition, loadSync } from '@grpc/proto-loader';
import { CREDENTIAL_PROTO, LOG_PROTO, MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import type { Stack } from '@aerie/local';

type Message = Readonly<Record<string, unknown>>;

/** What a caller sees of an answer over gRPC. */
export interface GrpcSeen {
  readonly code: number;
  readonly details: string;
  readonly problem: string;
  readonly messages: readonly unknown[];
}

const OPTIONS = { includeDirs: [PROTO_FOLDER], longs: Number, enums: String, oneofs: true, arrays: true };
/** Well beyond the time in which a refusal comes. */
const DEADLINE_MS = 20_000;

interface Method {
  readonly client: Client;
  readonly definition: ServiceDefinition[string];
}

/** Every method of every service over gRPC, asked with one key. */
export class GrpcCrawler {
  private readonly methods = new Map<string, Method>();
  private readonly clients: Client[] = [];

  constructor(
    { grpcAddress, credentialGrpcAddress, logGrpcAddress }: Stack,
    private readonly key: string,
  ) {
    for (const [proto, address] of [
      [MISSION_PROTO, grpcAddress],
      [CREDENTIAL_PROTO, credentialGrpcAddress],
      [LOG_PROTO, logGrpcAddress],
    ] as const) {
      for (const [service, definition] of Object.entries(loadSync(proto, OPTIONS))) {
        if ('format' in definition) continue;
        const methods = definition;
        const Service: ServiceClientConstructor = makeGenericClientConstructor(methods, service);
        const client = new Service(address, credentials.createInsecure());
        this.clients.push(client);
        for (const [method, one] of Object.entries(methods)) {
          this.methods.set(`${service.split('.').at(-1)}/${method}`, { client, definition: one });
        }
      }
    }
  }

  get names(): readonly string[] {
    return [...this.methods.keys()];
  }

  ask(name: string, request: Message): Promise<GrpcSeen> {
    const { client, definition } = this.method(name);
    const { path, requestSerialize, responseDeserialize } = definition;
    if (definition.responseStream) return endOf(this.stream(name, request));
    return new Promise((resolve) =>
      client.makeUnaryRequest(
        ...([path, requestSerialize, responseDeserialize, request, this.metadata(), { deadline: deadline() }] as const),
        (error: ServiceError | null, answer?: unknown) => resolve(seen(error, answer === undefined ? [] : [answer])),
      ),
    );
  }

  stream(name: string, request: Message): ClientReadableStream<unknown> {
    const { client, definition } = this.method(name);
    const { path, requestSerialize, responseDeserialize } = definition;
    const options = { deadline: deadline() };
    return client.makeServerStreamRequest(
      ...([path, requestSerialize, responseDeserialize, request, this.metadata(), options] as const),
    );
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  private method(name: string): Method {
    const method = this.methods.get(name);
    if (method === undefined) throw new Error(`there is no method ${name}`);
    return method;
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.key}`);
    metadata.set('x-request-id', 'crawler');
    return metadata;
  }
}

const deadline = (): number => Date.now() + DEADLINE_MS;

function endOf(stream: ClientReadableStream<unknown>): Promise<GrpcSeen> {
  const messages: unknown[] = [];
  return new Promise((resolve) => {
    stream.on('data', (message: unknown) => messages.push(message));
    stream.on('error', (error: ServiceError) => resolve(seen(error, messages)));
    stream.on('end', () => resolve(seen(null, messages)));
  });
}

const seen = (error: ServiceError | null, messages: readonly unknown[]): GrpcSeen => ({
  code: error?.code ?? 0,
  details: error?.details ?? '',
  problem: String(error?.metadata.get('problem')[0] ?? ''),
  messages,
});
