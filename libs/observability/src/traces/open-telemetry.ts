// The one file that imports OpenTelemetry. It is loaded when traces are asked for, and not before: it takes time at each
// start, and some megabytes.
import { randomUUID } from 'node:crypto';
import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  type Span,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, type IdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import { AppError, type Peer, tlsOptions } from '@aerie/kernel';
import { type SpanCounts, SpanQueue } from './span-queue.js';
import { type TraceAttributes, allowedAttributes, wordOf } from './trace-attributes.js';
import { type TraceContext, randomId } from './trace-context.js';
import type { NewSpan, OpenSpan, SpanKind, SpanMaker } from './traces.js';

const KINDS: Readonly<Record<SpanKind, OtelKind>> = {
  internal: OtelKind.INTERNAL,
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  producer: OtelKind.PRODUCER,
  consumer: OtelKind.CONSUMER,
};

/** Of one request to the collector, with its repeats. */
const EXPORT_WITHIN_MS = 10_000;

/** Random ids, but for a span whose ids are known to others. */
class Ids implements IdGenerator {
  /** Of the span that is begun in this turn. */
  next: TraceContext | undefined;

  generateTraceId(): string {
    return this.next?.traceId ?? randomId(16);
  }

  generateSpanId(): string {
    return this.next?.spanId ?? randomId(8);
  }
}

export interface OpenTelemetryOptions {
  readonly service: string;
  readonly collector: Peer;
  readonly counts: SpanCounts;
}

/** Makes spans by the SDK and sends them to the collector, as JSON. Whether something is sampled was decided before. */
export class OpenTelemetry implements SpanMaker {
  private readonly ids = new Ids();
  private readonly provider;
  private readonly tracer;

  constructor({ service, collector, counts }: OpenTelemetryOptions) {
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': randomUUID() }),
      sampler: new AlwaysOnSampler(),
      idGenerator: this.ids,
      spanProcessors: [new SpanQueue(exporterTo(collector), counts)],
    });
    this.tracer = this.provider.getTracer('aerie');
  }

  begin({
    name,
    kind = 'internal',
    parent,
    links = [],
    as,
    attributes = {},
    startMs,
  }: Parameters<SpanMaker['begin']>[0]) {
    this.ids.next = as;
    const span = this.tracer.startSpan(
      wordsOf(name),
      {
        kind: KINDS[kind],
        attributes: allowedAttributes(attributes),
        links: links.map(linkTo),
        ...(startMs === undefined ? {} : { startTime: startMs }),
      },
      parent === null ? ROOT_CONTEXT : contextOf(parent),
    );
    this.ids.next = undefined;
    return new Recording(span);
  }

  stop(): Promise<void> {
    return this.provider.shutdown();
  }
}

class Recording implements OpenSpan {
  readonly context: TraceContext;

  constructor(private readonly span: Span) {
    const { traceId, spanId } = span.spanContext();
    this.context = { traceId, spanId };
  }

  set(attributes: TraceAttributes): void {
    this.span.setAttributes(allowedAttributes(attributes));
  }

  link(to: TraceContext): void {
    this.span.addLink(linkTo(to));
  }

  rename(name: string): void {
    this.span.updateName(wordsOf(name));
  }

  fail(error: unknown): void {
    this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.set({ 'error.type': typeOf(error) });
  }

  end(): void {
    this.span.end();
  }
}

function typeOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

/** A name is a few words, each of which may come from elsewhere. */
const wordsOf = (name: NewSpan['name']): string => name.split(' ').map(wordOf).join(' ');

const spanContextOf = ({ traceId, spanId }: TraceContext) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });

const contextOf = (parent: TraceContext): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { ...spanContextOf(parent), isRemote: true });

const linkTo = (context: TraceContext): Link => ({ context: spanContextOf(context) });

function exporterTo(collector: Peer): OTLPTraceExporter {
  const { url, user, password } = collector;
  const address = new URL(url);
  address.username = '';
  address.password = '';
  address.pathname = `${address.pathname.replace(/\/$/, '')}/v1/traces`;
  const login = Buffer.from(`${user}:${password}`).toString('base64');
  return new OTLPTraceExporter({
    url: address.href,
    headers: user === '' ? {} : { authorization: `Basic ${login}` },
    timeoutMillis: EXPORT_WITHIN_MS,
    httpAgentOptions: { keepAlive: true, maxSockets: 1, ...tlsOptions(collector) },
  });
}
