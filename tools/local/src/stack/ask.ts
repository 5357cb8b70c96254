import { type IncomingMessage, get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { text } from 'node:stream/consumers';

export interface Asked {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

const ANSWER_WITHIN_MS = 10_000;

/** Asks a program at its address, over TLS where that says so; `ca` is who has signed its certificate. `fetch` takes none. */
export async function ask(url: string, ca?: string): Promise<Asked> {
  const options = { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = url.startsWith('https:')
      ? getSecurely(url, { ...options, ...(ca === undefined ? {} : { ca }) }, resolve)
      : get(url, options, resolve);
    asked.once('error', reject);
  });
  return { status: answer.statusCode ?? 0, text: await text(answer), headers: answer.headers };
}
