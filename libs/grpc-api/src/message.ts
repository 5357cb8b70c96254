/** A message as the loader gives it: unset scalars have their default, unset messages are null. */
export type Message = Readonly<Record<string, unknown>>;

/** Without what is not there: a field that is set to nothing would have to be a message. */
export function defined(fields: Readonly<Record<string, unknown>>): Message {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** Only these fields, and of them those that were set. */
export function only(message: Message, ...names: readonly string[]): Message {
  return Object.fromEntries(names.filter((name) => message[name] != null).map((name) => [name, message[name]]));
}
