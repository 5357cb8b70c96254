import { type IncomingMessage, request as httpRequest } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { UnavailableError } from '@aerie/kernel';

/** Storages send those on whose bucket lies elsewhere. */
const MOST_REDIRECTS = 3;
/** Until a storage begins to answer. How long the rest takes depends on the reader. */
const ANSWER_TIMEOUT_MS = 30_000;
const REDIRECTS = new Set([301, 302, 307, 308]);

/** Reads objects of storages by their presigned URLs. */
export class ReadObject {
  private readonly agent: HttpsAgent;

  /** @param authorities that sign certificates of storages, as PEM; those of Node where there are none */
  constructor(authorities?: readonly string[]) {
    const options: AgentOptions = authorities === undefined ? {} : { ca: [...authorities] };
    this.agent = new HttpsAgent({ keepAlive: true, ...options });
  }

  /** The content as it comes. Rejects when the storage does not give it. `what` is for the error. */
  async open(url: string, what: string, signal: AbortSignal): Promise<IncomingMessage> {
    let at = url;
    for (let redirects = 0; ; redirects++) {
      const response = await this.get(at, signal);
      const { statusCode: status = 0, headers } = response;
      if (status >= 200 && status < 300) return response;
      response.destroy();
      if (!REDIRECTS.has(status) || headers.location === undefined || redirects === MOST_REDIRECTS) {
        throw new UnavailableError('object_unreadable', `failed to read ${what}: status ${status}`);
      }
      at = new URL(headers.location, at).href;
    }
  }

  private get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const isTls = url.startsWith('https:');
      const asked = isTls
        ? httpsRequest(url, { signal, agent: this.agent }, resolve)
        : httpRequest(url, { signal }, resolve);
      const timeout = new UnavailableError('storage_timeout', 'the storage did not begin to answer in time');
      const timer = setTimeout(() => asked.destroy(timeout), ANSWER_TIMEOUT_MS);
      asked.once('close', () => clearTimeout(timer));
      asked.once('response', () => clearTimeout(timer));
      asked.on('error', reject);
      asked.end();
    });
  }
}
