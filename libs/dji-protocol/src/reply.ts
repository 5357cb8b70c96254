import { z } from 'zod';
import { integer, optional, record, underOutput } from './tolerant.js';

/** The data of most replies. [Cloud API, topic definition, services_reply] */
export interface PlainReply {
  /** 0 is success; anything else is one of the published result codes. */
  readonly result: number;
  /** What else the answering side has to say. */
  readonly output?: Readonly<Record<string, unknown>>;
}

/** The data of a reply that carries `output` when it succeeds. */
export interface ReplyWith<Output> {
  /** 0 is success; anything else is one of the published result codes. */
  readonly result: number;
  readonly output?: Output;
}

/** Words under `output.status` that contradict a silent success. */
const FAILURE_WORDS: ReadonlySet<unknown> = new Set(['failed', 'rejected', 'canceled', 'timeout']);

/**
 * Quirk E11: some tables say that a reply has no data while their examples answer `result` 0. A reply without a result
 * is therefore a success, unless its own status says otherwise.
 */
function withResult(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (value['result'] !== undefined) return value;
  const output = value['output'] as { readonly status?: unknown } | undefined;
  return FAILURE_WORDS.has(output?.status) ? value : { result: 0, ...value };
}

/** A reply whose `output` has a known form; members printed without the `output` level are moved there (quirk E12). */
export const replyWith = <Output extends z.ZodType>(output: Output, names: readonly string[]) =>
  record({ result: integer, output: optional(output) }, (value) => withResult(underOutput(value, names)));

export const decodePlainReply: z.ZodType<PlainReply> = replyWith(z.record(z.string(), z.unknown()), []);

export const strictPlainReply: z.ZodType<PlainReply> = z.object({
  result: z.int(),
  output: z.exactOptional(z.record(z.string(), z.unknown())),
});

/** Success needs its output; a refusal carries none. */
export const strictReplyWith = <Output extends z.ZodType>(output: Output) =>
  z
    .object({ result: z.int(), output: z.exactOptional(output) })
    .refine((reply) => reply.result !== 0 || reply.output !== undefined, {
      path: ['output'],
      message: 'is required when result is 0',
    });
