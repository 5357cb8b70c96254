import { randomBytes } from 'node:crypto';

/** Where a span stands: its trace and itself, in hexadecimal. Whoever has one works on something that is sampled. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
}

/** In which a request over HTTP and a message over NATS say to which span they belong. [W3C Trace Context] */
export const TRACE_HEADER = 'traceparent';

const WELL_FORMED = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const ZEROS = /^0+$/;
const SAMPLED = 1;

export const traceHeaderOf = ({ traceId, spanId }: TraceContext): string => `00-${traceId}-${spanId}-01`;

/** Says that nobody behind us is to begin a trace of this request. */
export const unsampledHeader = (): string => `00-${randomId(16)}-${randomId(8)}-00`;

export interface ReadTraceHeader extends TraceContext {
  readonly isSampled: boolean;
}

/** Null: there is none, or none that can be read. */
export function readTraceHeader(header: unknown): ReadTraceHeader | null {
  const [, traceId = '', spanId = '', flags = ''] = (typeof header === 'string' && WELL_FORMED.exec(header)) || [];
  if (traceId === '' || ZEROS.test(traceId) || ZEROS.test(spanId)) return null;
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** Of so many bytes. Never zeros alone, which mean that there is none. */
export function randomId(bytes: number): string {
  const id = randomBytes(bytes);
  if (id.every((byte) => byte === 0)) id[0] = 1;
  return id.toString('hex');
}

/** The last eight digits decide, so that each program says the same of a trace without asking another one. */
export const isSampled = (traceId: string, share: number): boolean =>
  parseInt(traceId.slice(-8), 16) < share * 0x1_0000_0000;
