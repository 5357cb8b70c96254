import { SaxesParser } from 'saxes';
import { S3Error } from './s3-error.js';

export interface XmlList {
  /** Elements right below the root that have no elements themselves. */
  readonly fields: Readonly<Record<string, string>>;
  /** The fields of each `item`. */
  readonly items: readonly Readonly<Record<string, string>>[];
}

/** Root, item, field. What is deeper is none of the documents that we read. */
const MAX_DEPTH = 3;

/** Reads the two documents that clients send, both a list: `<root><item><field>…</field></item>…</root>`. */
export function readXmlList(text: string, root: string, item: string, maxItems: number): XmlList {
  const malformed = (why: string, cause?: unknown): S3Error =>
    new S3Error('MalformedXML', `The XML is not a ${root}: ${why}.`, { cause });
  const fields: Record<string, string> = {};
  const items: Record<string, string>[] = [];
  const path: string[] = [];
  let content = '';
  const parser = new SaxesParser();
  parser.on('doctype', () => parser.fail('a document type is not allowed'));
  parser.on('error', (error) => {
    throw malformed('it cannot be parsed', error);
  });
  parser.on('opentag', ({ name }) => {
    path.push(name);
    content = '';
    if (path.length > MAX_DEPTH || path[0] !== root) throw malformed(`${name} is not expected`);
    if (path.length === 2 && name === item && items.push({}) > maxItems) throw malformed('it has too many items');
  });
  parser.on('text', (piece) => (content += piece));
  parser.on('closetag', ({ name }) => {
    const target = path.length === 3 && path[1] === item ? items.at(-1) : fields;
    if (path.length === 3 || (path.length === 2 && name !== item)) {
      if (target === undefined || Object.hasOwn(target, name)) throw malformed(`${name} comes twice`);
      target[name] = content;
    }
    path.pop();
    content = '';
  });
  parser.write(text).close();
  return { fields, items };
}
