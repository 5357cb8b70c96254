import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Agents } from '@aerie/outbound';

/** Without a word. */
const TIMEOUT_MS = 5_000;
/** In all, also of a server that drips. */
const LONGEST_MS = 15_000;
/** No answer of a step is larger. */
const MAX_BODY_BYTES = 64 * 1024;

export interface Probed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One plain request, without a signature. @throws the error of the network, with its code */
export function probe(
  url: string,
  agents: Agents,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Probed> {
  const isTls = url.startsWith('https:');
  const { method = 'GET', headers = {} } = options;
  return new Promise((resolve, reject) => {
    const sent = (isTls ? httpsRequest : httpRequest)(
      url,
      {
        ...{ method, headers, timeout: TIMEOUT_MS, signal: AbortSignal.timeout(LONGEST_MS) },
        agent: isTls ? agents.httpsAgent : agents.httpAgent,
      },
      (response) => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        response.on('error', reject);
        response.on('data', (piece: Buffer) => {
          bytes += piece.length;
          if (bytes <= MAX_BODY_BYTES) pieces.push(piece);
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
    sent.on('error', reject);
    sent.end();
  });
}
