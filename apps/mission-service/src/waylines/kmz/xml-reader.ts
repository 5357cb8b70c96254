import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { LIMITS } from './limits.js';
import { type Place, type Problems, StopReading, quote } from './problems.js';

export interface XmlElement {
  /** As written, e.g. `wpml:index`. */
  readonly name: string;
  /** Local names from the root, e.g. `kml/Document/Folder`. Prefixes differ between programs, names do not. */
  readonly path: string;
  readonly line: number;
  hasChildren: boolean;
  text: string;
}

export interface XmlHandler {
  open(element: XmlElement): void;
  close(element: XmlElement): void;
}

/** What reading may still cost, over all files of one archive. */
export interface XmlBudget {
  elementsLeft: number;
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1);
/** `http://www.dji.com/wpmz/1.0.2` and what other programs make of it. */
const WPML_NAMESPACE = /\/wpmz\/\d+(\.\d+)*\/?$/;

/**
 * Reads one XML file piece by piece and hands on its elements. No document type, so no entity of its own, no external
 * file; depth, elements, attributes and texts are bounded. Nothing is kept but the open elements.
 */
export class XmlReader {
  private readonly parser = new SaxesParser();
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly stack: XmlElement[] = [];
  private tagLine = 1;
  private attributes = 0;
  private sawRoot = false;

  constructor(
    private readonly file: string,
    private readonly handler: XmlHandler,
    private readonly budget: XmlBudget,
    private readonly problems: Problems,
  ) {
    const { parser } = this;
    parser.on('error', (error) => this.refuse(`is no well-formed XML: ${error.message.replace(/^\D*\d+:\d+: /, '')}`));
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && !/^utf-8$/i.test(encoding))
        this.refuse(`is in ${quote(encoding)}; only UTF-8 is read`);
    });
    parser.on('doctype', () => this.refuse('has a document type (DTD), which no route file needs'));
    parser.on('opentagstart', () => {
      this.tagLine = parser.line;
      this.attributes = 0;
      if (this.stack.length >= LIMITS.xmlDepth) this.refuseAll(`is nested deeper than ${LIMITS.xmlDepth} elements`);
      if (--this.budget.elementsLeft < 0) {
        this.refuseAll(`the archive has more than ${LIMITS.xmlElements} elements`);
      }
    });
    parser.on('attribute', () => {
      if (++this.attributes > LIMITS.xmlAttributes) this.refuseAll(`has more than ${LIMITS.xmlAttributes} attributes`);
    });
    parser.on('opentag', (tag) => this.open(tag));
    parser.on('closetag', () => {
      const element = this.stack.pop();
      if (element !== undefined) handler.close(element);
    });
    parser.on('text', (text) => this.text(text));
    parser.on('cdata', (text) => this.text(text));
  }

  write(bytes: Uint8Array): void {
    this.parser.write(this.decode(bytes, true));
  }

  end(): void {
    this.parser.write(this.decode(new Uint8Array(), false));
    this.parser.close();
  }

  private decode(bytes: Uint8Array, stream: boolean): string {
    try {
      return this.decoder.decode(bytes, { stream });
    } catch {
      return this.refuse('is not UTF-8');
    }
  }

  private open(tag: SaxesTagPlain): void {
    const parent = this.stack.at(-1);
    const path = parent === undefined ? local(tag.name) : `${parent.path}/${local(tag.name)}`;
    const element = { name: tag.name, path, line: this.tagLine, hasChildren: false, text: '' };
    if (parent !== undefined) parent.hasChildren = true;
    this.stack.push(element);
    if (!this.sawRoot) {
      this.sawRoot = true;
      this.checkRoot(tag);
    }
    this.handler.open(element);
  }

  private checkRoot({ name, attributes }: SaxesTagPlain): void {
    if (name !== 'kml') this.refuse(`the root must be <kml>, not <${name.slice(0, 40)}>`);
    const declared = Object.entries(attributes).filter(([key]) => key === 'xmlns' || key.startsWith('xmlns:'));
    if (!declared.some(([, uri]) => WPML_NAMESPACE.test(uri))) {
      this.refuse('declares no WPML namespace, e.g. xmlns:wpml="http://www.dji.com/wpmz/1.0.6"');
    }
  }

  private text(text: string): void {
    const element = this.stack.at(-1);
    if (element === undefined || (element.text === '' && text.trim() === '')) return;
    element.text += text;
    if (element.text.length > LIMITS.textLength) this.refuseAll(`has a text of over ${LIMITS.textLength} characters`);
  }

  private place(): Place {
    const element = this.stack.at(-1);
    return { file: this.file, line: this.parser.line, element: element?.name ?? 'kml' };
  }

  private refuse(message: string): never {
    return this.problems.stopFile(this.place(), message);
  }

  /** For what no honest program writes: then nothing else of the archive is worth its time. */
  private refuseAll(message: string): never {
    return this.problems.stopAll(this.place(), message);
  }
}

/** Runs a part of the reading; true where it came to its end. */
export function finished(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof StopReading && !error.everything) return false;
    throw error;
  }
}
