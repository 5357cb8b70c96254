import { readFileSync } from 'node:fs';
import path from 'node:path';
import openapiTypes, { astToString } from 'openapi-typescript';
import ts from 'typescript';

/** `dist/api-docs` of this tool. */
const ROOT = path.resolve(import.meta.dirname, '../../../..');
const DOCUMENTS = ['openapi', 'fleet.openapi'] as const;

interface Call {
  readonly method: 'get' | 'post';
  /** As the document writes it, with `{}` for each parameter. */
  readonly path: string;
  /** JSON text; undefined where no JSON is sent. */
  readonly body: string | undefined;
}

/** The calls that the README shows, as a reader would type them. */
function callsOfReadme(): Call[] {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8').replaceAll(/\\\n\s*/g, '');
  return [...readme.matchAll(/\bcurl [^\n]*?\$API(\/[^\s"?]*)[^\n]*/g)].map(([line, written = '']) => {
    const data = / -d "((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    const sends = data !== undefined || line.includes('--data-binary');
    return {
      method: sends ? 'post' : 'get',
      path: `/api/v1${written.replaceAll(/\$[A-Z]+/g, '{}')}`,
      body: data?.replaceAll('\\"', '"'),
    };
  });
}

/** Types of every path, generated as a caller's build would. */
async function generatedTypes(): Promise<string> {
  const modules = await Promise.all(
    DOCUMENTS.map(async (name) => {
      const file = path.join(ROOT, 'docs/api', `${name}.json`);
      const document = JSON.parse(readFileSync(file, 'utf8')) as Parameters<typeof openapiTypes>[0];
      return astToString(await openapiTypes(document, { defaultNonNullable: false }));
    }),
  );
  return modules.map((text, index) => `export namespace Api${index} {\n${text}\n}\n`).join('');
}

const HELPERS = `
import type { Api0, Api1 } from './api';
type Paths = Omit<Api0.paths, keyof Api1.paths> & Api1.paths;
/** A path as it is called: the names of parameters do not matter. */
type Nameless<P extends string> = P extends \`\${infer Head}{\${string}}\${infer Tail}\` ? \`\${Head}{}\${Nameless<Tail>}\` : P;
type Calls = { [P in keyof Paths as Nameless<P & string>]: Paths[P] };
type Operation<P extends keyof Calls, M extends keyof Calls[P]> =
  [Calls[P][M]] extends [undefined] ? never : NonNullable<Calls[P][M]>;
type Body<O> = O extends { requestBody?: { content: { 'application/json': infer B } } } ? B : never;
declare function call<P extends keyof Calls, M extends keyof Calls[P] & ('get' | 'post')>(
  ...what: [Operation<P, M>] extends [never] ? ['there is no such operation'] : [path: P, method: M]
): void;
declare function send<P extends keyof Calls, M extends keyof Calls[P] & ('get' | 'post')>(
  path: P, method: M, body: Body<Operation<P, M>>,
): void;
`;

const written = ({ method, path: called, body }: Call): string =>
  body === undefined
    ? `call<'${called}', '${method}'>('${called}', '${method}');`
    : `send('${called}', '${method}', ${body});`;

/** What the compiler says of these calls. */
function problemsOf(types: string, calls: readonly Call[]): string[] {
  const files = new Map([
    ['/api.d.ts', types],
    ['/calls.ts', HELPERS + calls.map(written).join('\n')],
  ]);
  const options: ts.CompilerOptions = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: [] };
  const host = ts.createCompilerHost(options);
  const sourceOf = host.getSourceFile.bind(host);
  host.fileExists = (name) => files.has(name) || ts.sys.fileExists(name);
  host.getSourceFile = (name, version, ...more) => {
    const text = files.get(name);
    return text === undefined ? sourceOf(name, version, ...more) : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram(['/calls.ts'], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('the calls of the README, against types that are generated from the documents', () => {
  const calls = callsOfReadme();
  let types: string;
  beforeAll(async () => {
    types = await generatedTypes();
  }, 60_000);

  it('compile as they are written', () => {
    expect(calls.map(({ method, path: called }) => `${method} ${called}`)).toEqual(
      expect.arrayContaining(['get /api/v1/docks', 'post /api/v1/waylines', 'post /api/v1/missions']),
    );
    expect(problemsOf(types, calls)).toEqual([]);
  }, 60_000);

  it('do not compile where a member is left out that their kind needs, or a path does not exist', () => {
    const timed = calls.find(({ body }) => body?.includes('executeAt'));
    const body = timed?.body?.replace(/"executeAt":"[^"]*",?/, '');
    if (timed === undefined || body === undefined) throw new Error('the README plans no timed mission');
    expect(problemsOf(types, [{ ...timed, body }])).toHaveLength(1);
    expect(problemsOf(types, [{ method: 'get', path: '/api/v1/drones', body: undefined }])).not.toEqual([]);
  }, 60_000);
});
