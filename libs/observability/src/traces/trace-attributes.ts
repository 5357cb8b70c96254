/** All that a span may tell beside its name. Nothing that people or docks write themselves is among it. */
export const TRACE_ATTRIBUTES = {
  'http.request.method': 'Method of a request.',
  'http.route': 'Template of its route, such as /api/v1/missions/:id.',
  'http.response.status_code': 'Status of its answer.',
  'rpc.method': 'Method of a call over gRPC.',
  'rpc.response.status_code': 'Status of its answer.',
  'messaging.system': 'nats or mqtt.',
  'messaging.destination.name': 'Subject of a question, or name of a consumer.',
  'messaging.batch.message_count': 'Messages of a batch, also those that are not traced.',
  'db.system.name': 'postgresql.',
  'aerie.db.statements': 'Statements of a transaction.',
  'aerie.db.attempts': 'How often it was tried.',
  'aerie.mission.id': 'Id of a mission.',
  'aerie.mission.event': 'What was decided on.',
  'aerie.mission.state': 'The state after it.',
  'aerie.mission.count': 'Missions that were looked at or written together.',
  'aerie.dock.sn': 'Serial number of a dock or an aircraft.',
  'aerie.dock.method': "The vendor's name of a message.",
  'aerie.dock.channel': 'The channel on which it went.',
  'aerie.tid': 'Transaction of a message: a command and its reply have the same.',
  'aerie.outcome': 'What became of a command: written, refused or unknown.',
  'error.type': 'Code of an error of ours, or class of another one.',
} as const;

export type TraceAttribute = keyof typeof TRACE_ATTRIBUTES;
export type TraceAttributes = { readonly [Name in TraceAttribute]?: string | number | null | undefined };

/** No blank, no quote, no comma: neither a sentence nor JSON nor a position. */
const WORD = /^[\w.:/{}*>$-]{1,100}$/;
/** In the place of a text that is no word: a dock may have put there what it likes. */
export const NO_WORD = '[no word]';

export const wordOf = (text: string): string => (WORD.test(text) ? text : NO_WORD);

/** What leaves of what a caller wants to tell. */
export function allowedAttributes(attributes: TraceAttributes): Record<string, string | number> {
  const allowed: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || !(name in TRACE_ATTRIBUTES)) continue;
    if (typeof value === 'string') allowed[name] = wordOf(value);
    else if (Number.isInteger(value)) allowed[name] = value;
  }
  return allowed;
}
