import { Agent, request } from 'node:http';

/** One connection for each: the requests of a test go one after the other. */
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  readonly allow: string | undefined;
}

/** Asks for a target exactly as it is spelled; `fetch` would tidy it up first. */
export function askFor(
  url: string,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ agent, hostname, port, method, path: target, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          allow: response.headers.allow,
        }),
      );
    });
    asked.once('error', reject);
    asked.end();
  });
}

/** Paths that some proxy or framework takes for `path`, which begins with /api/v1. Here each is another path, of no route. */
export function otherSpellings(path: string): readonly string[] {
  const [, api = '', version = '', first = '', ...rest] = path.split('/');
  const after = rest.map((part) => `/${part}`).join('');
  const at = (prefix: string, name = first): string => `${prefix}${name}${after}`;
  const hex = first.charCodeAt(0).toString(16);
  return [
    ...[at(`//${api}/${version}/`), at(`/${api}//${version}/`), at(`/${api}/${version}//`)],
    ...[at(`/${api}/./${version}/`), at(`/${api}/${version}/./`), at(`/${api}/${version}/%2e/`)],
    ...[at(`/${api}/${version}/x/../`), at(`/${api}/${version}/x/%2e%2e/`), at(`/${api}/${version}/x/%2E./`)],
    ...[at(`/${api}/${version}/x/..%2f`), at(`/${api}/${version}/x/%252e%252e/`), at(`/${api}/${version}/x/..;/`)],
    ...[
      at(`/${api}%2f${version}%2f`),
      at(`/${api}/${version}%2F`),
      at(`/${api}\\${version}\\`),
      at(`/${api}/${version}%5c`),
    ],
    ...[
      at(`/${api}/${version};x=y/`),
      at(`/${api}/${version}/`, `${first};x=y`),
      at(`/${api}/${version}/`, `${first};`),
    ],
    ...[
      at(`/${api}/${version}/`, `${first}.`),
      at(`/${api}/${version}/`, `${first}%2e`),
      at(`/${api}/${version}/`, `.${first}`),
    ],
    ...[
      at(`/${api}/${version}/`, `${first}%20`),
      at(`/${api}/${version}/`, `${first}%09`),
      at(`/${api}/${version}/`, `${first}%3f`),
    ],
    ...[at(`/${api}/${version}/`, `${first}%23`), at(`/${api}/${version}/`, `%${hex}${first.slice(1)}`)],
    ...[at(`/${api}/${version}/%c0%af`), at(`/${api}/${version}/%ef%bc%8f`), at(`/${api}/${version}/`, `${first}%`)],
    ...[
      at(`/${api}/${version}/`, `${first}%zz`),
      at('/'),
      at(`/${version}/`),
      at(`/${api}/v2/`),
      at(`/internal/${api}/${version}/`),
    ],
  ];
}

/** Targets that HTTP, or our router, reads as `path` itself. [RFC 9112, 3.2.2] */
export const sameSpellings = (path: string): readonly string[] => [
  ...[path.toUpperCase(), `${path}/`, `${path}?`, `${path}?/openapi.json`, `${path}#x`],
  ...[`http://elsewhere.example${path}`, `http://elsewhere.example${path}/`],
];

/** What frameworks take another method from, beside a body. */
export const METHOD_OVERRIDES: readonly string[] = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'];
