import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { UnavailableError } from '@aerie/kernel';
import type { Agents } from '@aerie/outbound';

export interface FetchOptions {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
}

export interface FetchLimits {
  /** For the whole request, until the last byte of the response. */
  readonly wholeMs: number;
  readonly mostBytes: number;
}

/** A person waits at the browser. Metadata and key sets have some ten kilobytes. */
const LIMITS: FetchLimits = { wholeMs: 5_000, mostBytes: 256 * 1_024 };

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * HTTP requests to identity providers: TLS only, and only to addresses that `agents` connect to. Redirects are not followed,
 * because their target was not checked. Throws UnavailableError if there is no usable response.
 */
export class GuardedFetch {
  constructor(
    private readonly agents: Agents,
    /** Allows plain HTTP to this host itself. */
    private readonly allowsLoopback: boolean,
    private readonly limits: FetchLimits = LIMITS,
  ) {}

  /** Why this URL must not be used; null if it may. */
  refusalOf(url: URL): string | null {
    if (url.protocol === 'https:') return null;
    const isLoopback = url.protocol === 'http:' && LOOPBACK.test(url.hostname);
    return isLoopback && this.allowsLoopback ? null : 'must begin with https://';
  }

  async fetch(address: string, options: FetchOptions = {}): Promise<Response> {
    const url = new URL(address);
    const refusal = this.refusalOf(url);
    if (refusal !== null) throw unavailable(url, `has a URL that ${refusal}`);
    const { status, headers, body } = await this.ask(url, options).catch((error: unknown) => {
      throw error instanceof UnavailableError ? error : unavailable(url, 'does not answer', error);
    });
    if (status >= 500 || status === 429) throw unavailable(url, `answers ${status}`);
    if (status >= 300 && status < 400) throw unavailable(url, `answers ${status}; redirects are not followed`);
    return new Response(status === 204 ? null : body, { status, headers });
  }

  private async ask(url: URL, { method = 'GET', headers = {}, body }: FetchOptions): Promise<Answer> {
    const sent = body instanceof URLSearchParams || typeof body === 'string' ? body.toString() : undefined;
    const signal = AbortSignal.timeout(this.limits.wholeMs);
    const options = { method, headers, signal };
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? requestOverTls(url, { ...options, agent: this.agents.httpsAgent })
          : requestPlain(url, { ...options, agent: this.agents.httpAgent });
      request.once('response', resolve).once('error', reject).end(sent);
    });
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of message as AsyncIterable<Buffer>) {
      bytes += part.length;
      // Throwing leaves the loop, which closes the connection.
      if (bytes > this.limits.mostBytes) {
        throw unavailable(url, `answers with more than ${this.limits.mostBytes / 1_024} KiB`);
      }
      parts.push(part);
    }
    const type = message.headers['content-type'];
    return {
      status: message.statusCode ?? 0,
      headers: type === undefined ? {} : { 'content-type': type },
      body: Buffer.concat(parts).toString('utf8'),
    };
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const unavailable = ({ host }: URL, what: string, cause?: unknown): UnavailableError =>
  new UnavailableError(
    'provider_unavailable',
    `the identity provider at ${host} ${what}`,
    cause === undefined ? {} : { cause },
  );
