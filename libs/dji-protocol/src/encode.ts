import { InvalidError } from '@aerie/kernel';
import { generationOf, speaks, type DockProfile } from './dock-profile.js';
import { findMethod } from './methods.js';
import type { JsonObject } from './payload.js';
import { strictPlainReply } from './reply.js';
import { written } from './strict.js';
import type { ReplyChannel } from './topics.js';
import type { ServiceData, ServiceMethod, WireData } from './wire-data.js';

/**
 * The data of a command, exactly as this model and generation knows it: members that it does not have are left out,
 * members that every dock is sent alike are supplied. Throws InvalidError with the fields that are wrong.
 */
export function encodeService<M extends ServiceMethod>(
  method: M,
  data: ServiceData[M],
  profile: DockProfile,
): JsonObject {
  const entry = findMethod('services', method);
  const encode = entry?.encodeRequest ?? null;
  if (entry === null || encode === null) throw unavailable(method, 'is no known command');
  if (!entry.models.includes(profile.model)) throw unavailable(method, `does not exist for ${profile.model}`);
  if (!speaks(profile, entry.since)) {
    // [Cloud API 1.1] A dock this old is given flighttask_create in place of prepare and execute.
    throw unavailable(method, `does not exist before ${entry.since}, the dock speaks ${generationOf(profile)}`);
  }
  return encode(data, profile);
}

/** The data of an answer. A method that is unknown here gets the generic form, `result` and perhaps `output`. */
export function encodeReply<C extends ReplyChannel, M extends string>(
  channel: C,
  method: M,
  data: M extends keyof WireData[C] ? WireData[C][M] : { readonly result: number },
): JsonObject {
  const schema = findMethod(channel, method)?.strictReply ?? strictPlainReply;
  return written(`the reply to ${method}`, schema, data);
}

export interface EnvelopeParts {
  readonly tid: string;
  readonly bid: string;
  readonly timestampMs: number;
  /** Null on the channels that have none: property/set and state_reply. */
  readonly method: string | null;
  readonly data: JsonObject;
}

/** The JSON object to publish, its keys in the order that the vendor prints. */
export function composeEnvelope(parts: EnvelopeParts): JsonObject {
  const { tid, bid, timestampMs, method, data } = parts;
  return { tid, bid, timestamp: timestampMs, ...(method === null ? {} : { method }), data };
}

function unavailable(method: string, message: string): InvalidError {
  const fields = [{ field: 'method', message }];
  return new InvalidError('method_unavailable', `failed to encode ${method}`, { fields });
}
