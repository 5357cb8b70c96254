/** Any JSON object as it came; keys of no known meaning are kept. */
export type JsonObject = Readonly<Record<string, unknown>>;

export type PayloadResult =
  { readonly accepted: true; readonly body: JsonObject } | { readonly accepted: false; readonly reason: string };

/** Far above any documented message, far below what would hurt a consumer. */
export const MAX_PAYLOAD_BYTES = 256 * 1024;
/** Documented messages nest eight deep. */
export const MAX_DEPTH = 64;

/** Keys that turn into something else when a careless merge copies them. Nothing documented is called so. */
const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor'];
const LONE_SURROGATE = /\p{Surrogate}/u;

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

const refused = (reason: string): PayloadResult => ({ accepted: false, reason });
const TOO_LARGE = `payload is larger than ${String(MAX_PAYLOAD_BYTES)} bytes`;

/** Bytes, text or an already parsed object: all go through the same checks, so that a replay cannot be laxer. */
export function readPayload(payload: unknown): PayloadResult {
  const text = textOf(payload);
  if (!text.accepted) return text;

  let value: unknown;
  try {
    value = JSON.parse(text.text);
  } catch {
    return refused('payload is not JSON');
  }
  if (!isJsonObject(value)) return refused('payload: expected a JSON object');

  // The walk costs as much as the parse, and almost no message can contain what it looks for.
  if (needsWalk(text.text)) {
    const problem = cleanTree(value, 1);
    if (problem !== null) return refused(problem);
  }
  return { accepted: true, body: value };
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type TextResult =
  { readonly accepted: true; readonly text: string } | { readonly accepted: false; readonly reason: string };

function textOf(payload: unknown): TextResult {
  if (ArrayBuffer.isView(payload)) {
    if (payload.byteLength > MAX_PAYLOAD_BYTES) return { accepted: false, reason: TOO_LARGE };
    try {
      return { accepted: true, text: decoder.decode(payload as Uint8Array) };
    } catch {
      return { accepted: false, reason: 'payload is not valid UTF-8' };
    }
  }
  const text = typeof payload === 'string' ? payload : serialised(payload);
  if (text === null) return { accepted: false, reason: 'payload: expected a JSON object' };
  // A text of n characters has n to 3n bytes, so the bytes are counted only in between.
  const mayExceed = text.length * 3 > MAX_PAYLOAD_BYTES;
  if (text.length > MAX_PAYLOAD_BYTES || (mayExceed && encoder.encode(text).length > MAX_PAYLOAD_BYTES)) {
    return { accepted: false, reason: TOO_LARGE };
  }
  if (LONE_SURROGATE.test(text)) return { accepted: false, reason: 'payload is not valid UTF-8' };
  return { accepted: true, text };
}

function serialised(payload: unknown): string | null {
  try {
    // For a function or undefined the result is undefined, whatever the types say.
    const text = JSON.stringify(payload) as string | undefined;
    return text ?? null;
  } catch {
    return null;
  }
}

function needsWalk(text: string): boolean {
  // NUL and lone surrogates can only be written as escapes; so can a disguised key.
  if (text.includes('\\u') || text.includes('__proto__') || text.includes('"constructor"')) return true;
  let opened = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x7b || code === 0x5b) opened += 1;
  }
  return opened > MAX_DEPTH;
}

/** Says what makes a value unfit for a table, or null; drops forbidden keys on the way. */
function cleanTree(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return textProblem(value);
  if (typeof value !== 'object' || value === null) return null;
  if (depth > MAX_DEPTH) return `payload nests deeper than ${String(MAX_DEPTH)} levels`;

  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (FORBIDDEN_KEYS.includes(key)) {
      delete record[key];
      continue;
    }
    const problem = textProblem(key) ?? cleanTree(record[key], depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

function textProblem(text: string): string | null {
  // PostgreSQL stores neither, not even in jsonb.
  if (text.includes('\u0000')) return 'payload contains the NUL character';
  if (LONE_SURROGATE.test(text)) return 'payload contains half a surrogate pair';
  return null;
}
