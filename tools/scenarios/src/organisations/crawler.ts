import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Stack } from '@aerie/local';
import { rootFolder } from '../world.js';
import type { Organisation, Things } from './organisation.js';
import type { Asked } from './route-cases.js';

/** By the names of their files in docs/api. */
const DOCUMENTS = ['openapi', 'fleet.openapi', 'log.openapi', 'credential.openapi'] as const;
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

export interface DescribedOperation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly queries: readonly string[];
}

interface Parameter {
  readonly in: string;
  readonly name: string;
}
interface ApiDocument {
  readonly components: { readonly parameters?: Readonly<Record<string, Parameter>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}
interface Described {
  readonly operationId: string;
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
}

/** Every operation of docs/api. */
export function operations(): readonly DescribedOperation[] {
  return DOCUMENTS.flatMap((name) => {
    const file = path.join(rootFolder(), 'docs', 'api', `${name}.json`);
    const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as ApiDocument;
    const resolved = (parameter: Parameter | { readonly $ref: string }): Parameter | undefined =>
      '$ref' in parameter ? components.parameters?.[parameter.$ref.split('/').at(-1) ?? ''] : parameter;
    return Object.entries(paths).flatMap(([route, methods]) =>
      Object.entries(methods)
        .filter(([method]) => METHODS.includes(method))
        .map(([method, { operationId, parameters = [] }]) => ({
          ...{ operationId, method: method.toUpperCase(), path: route },
          queries: parameters.flatMap((parameter) => {
            const { in: place, name: query } = resolved(parameter) ?? { in: 'nowhere', name: '' };
            return place === 'query' ? [query] : [];
          }),
        })),
    );
  });
}

/** All of an answer that a caller can see, but for the id of the request and dates. */
export interface Seen {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

const NOT_OF_THE_ANSWER = new Set(['date', 'x-request-id', 'connection', 'keep-alive', 'transfer-encoding']);

/** Asks with the rights of one organisation. */
export class Crawler {
  constructor(
    private readonly stack: Stack,
    private readonly organisation: Pick<Organisation, 'key' | 'token'>,
  ) {}

  get key(): string {
    return this.organisation.key;
  }

  async ask({ method, path: route, operationId }: DescribedOperation, asked: Asked): Promise<Seen> {
    const filled = route.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = asked.path?.[name];
      if (value === undefined) throw new Error(`${operationId} was asked without ${name}`);
      return encodeURIComponent(value);
    });
    const query = new URLSearchParams(asked.query).toString();
    const { key, token } = this.organisation;
    const response = await fetch(`${this.stack.apiUrl}${filled}${query === '' ? '' : `?${query}`}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${asked.asPerson === true ? token : key}`,
        'x-request-id': 'crawler',
        ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const headers = [...response.headers].filter(([name]) => !NOT_OF_THE_ANSWER.has(name));
    return {
      status: response.status,
      headers: headers.map(([name, value]) => `${name}: ${value}`).join('\n'),
      // A byte is a character: a ZIP is no text.
      body: Buffer.from(await response.arrayBuffer()).toString('latin1'),
    };
  }
}

/** An answer with placeholders where it repeats what was asked for. */
export function withoutNamed<Answer extends object>(answer: Answer, named: Things): Answer {
  let text = JSON.stringify(answer);
  // The longest first: a key of an object holds the id of its organisation.
  const byLength = Object.entries(named).sort(([, one], [, other]) => String(other).length - String(one).length);
  for (const [name, value] of byLength) text = text.replaceAll(String(value), `<${name}>`);
  return JSON.parse(text) as Answer;
}
