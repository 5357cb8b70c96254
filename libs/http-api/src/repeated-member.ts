import { InvalidError } from '@aerie/kernel';

/**
 * The path of the first member that an object of a JSON text has twice, or null. A parser would take the last one and
 * leave the other out in silence. A text that is no JSON has none: the parser says so.
 */
export function repeatedMember(text: string): string | null {
  // One entry for each object and array that is open; an array has no names.
  const open: { readonly names: Set<string> | null; name: string }[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
      case '[':
        expectsName = text[at] === '{';
        open.push({ names: expectsName ? new Set() : null, name: '' });
        break;
      case '}':
      case ']':
        open.pop();
        expectsName = false;
        break;
      case ',':
        expectsName = open.at(-1)?.names != null;
        break;
      case '"': {
        const end = endOfString(text, at);
        const inner = open.at(-1);
        if (expectsName && inner?.names != null) {
          inner.name = textOf(text.slice(at, end + 1));
          if (inner.names.has(inner.name)) return pathOf(open);
          inner.names.add(inner.name);
          expectsName = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
  return null;
}

/** For the body parser, which calls it with the bytes before it reads them. @throws InvalidError */
export function refuseRepeated(_request: unknown, _response: unknown, bytes: Buffer): void {
  const field = repeatedMember(bytes.toString('utf8'));
  if (field === null) return;
  const message = 'comes twice in one object; which one is meant?';
  throw new InvalidError('repeated_field', `the body is not valid: ${field} ${message}`, {
    fields: [{ field, message }],
  });
}

const pathOf = (open: readonly { readonly name: string }[]): string =>
  open
    .map(({ name }) => name)
    .filter((name) => name !== '')
    .join('.');

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** The same name can be written in two ways. */
function textOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
