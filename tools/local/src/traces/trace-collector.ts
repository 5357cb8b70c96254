import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TRACE_ATTRIBUTES } from '@aerie/observability';

/** A span as it came over OTLP. */
export interface SeenSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Null: it is the first of its trace. */
  readonly parentSpanId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly hasFailed: boolean;
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
}

type OtlpAttributes = readonly { readonly key: string; readonly value: OtlpValue }[];

/** As much of the JSON of OTLP as we read. Numbers of nanoseconds are texts. */
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpAttributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes?: OtlpAttributes;
        readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
        readonly status?: { readonly code?: number };
      }[];
    }[];
  }[];
}

const FAILED = 2;
const NANOS_PER_MS = 1e6;

/** Takes what programs trace, as a collector does, and keeps it. */
export class TraceCollector {
  readonly spans: SeenSpan[] = [];
  /** Each request as it came. */
  readonly bodies: string[] = [];
  /** Answers 503 meanwhile. */
  isAway = false;

  private constructor(private readonly server: Server) {}

  /** `keeps`: false, and what comes is thrown away. */
  static async listen({ keeps = true } = {}): Promise<TraceCollector> {
    const server = createServer();
    const collector = new TraceCollector(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => keeps && chunks.push(chunk));
      request.on('end', () => {
        if (collector.isAway) return response.writeHead(503).end();
        if (keeps && request.url === '/v1/traces') collector.take(Buffer.concat(chunks).toString('utf8'));
        return response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  trace(traceId: string): readonly SeenSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** Attributes that no span may have. */
  unlistedAttributes(): string[] {
    const told = new Set(this.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    return [...told].filter((name) => !(name in TRACE_ATTRIBUTES));
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private take(body: string): void {
    this.bodies.push(body);
    for (const { resource, scopeSpans } of (JSON.parse(body) as OtlpRequest).resourceSpans) {
      const service = String(attributesOf(resource.attributes)['service.name']);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const { name, traceId, spanId, parentSpanId, attributes = [], links = [], status } = span;
        this.spans.push({
          ...{ service, name, traceId, spanId, attributes: attributesOf(attributes), links },
          parentSpanId: parentSpanId === undefined || parentSpanId === '' ? null : parentSpanId,
          startMs: Number(span.startTimeUnixNano) / NANOS_PER_MS,
          endMs: Number(span.endTimeUnixNano) / NANOS_PER_MS,
          hasFailed: status?.code === FAILED,
        });
      }
    }
  }
}

const attributesOf = (attributes: OtlpAttributes): Record<string, string | number> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? (value.intValue === undefined ? (value.doubleValue ?? '') : Number(value.intValue)),
    ]),
  );
