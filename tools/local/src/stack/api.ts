/** Aerie's HTTP API, as this tool uses it. */
export class Api {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  get<Body>(path: string): Promise<Answer<Body>> {
    return this.call('GET', path);
  }

  post<Body>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    return this.call('POST', path, JSON.stringify(body ?? {}), { 'content-type': 'application/json', ...headers });
  }

  patch<Body>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    return this.call('PATCH', path, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  }

  put<Body>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    return this.call('PUT', path, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  }

  delete<Body>(path: string): Promise<Answer<Body>> {
    return this.call('DELETE', path);
  }

  /** An answer that is no JSON, as its text. */
  async text(path: string): Promise<Answer<string>> {
    const response = await this.fetch('GET', path);
    return { status: response.status, body: await response.text() };
  }

  upload<Body>(path: string, bytes: Uint8Array): Promise<Answer<Body>> {
    return this.call('POST', path, bytes, { 'content-type': 'application/vnd.google-earth.kmz' });
  }

  private async call<Body>(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const response = await this.fetch(method, path, body, headers);
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) as Body };
    } catch (error) {
      throw new Error(`${method} ${path} was answered ${response.status} without JSON: ${text}`, { cause: error });
    }
  }

  private fetch(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, ...headers },
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      signal: AbortSignal.timeout(30_000),
    });
  }
}

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** An answer that had to be good and is not. */
export class ApiRefusal extends Error {
  readonly code: string;
  readonly detail: string;

  constructor(
    readonly status: number,
    body: unknown,
  ) {
    super(`the API answered ${status}: ${JSON.stringify(body)}`);
    const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown };
    this.code = typeof code === 'string' ? code : String(status);
    this.detail = typeof detail === 'string' ? detail : this.message;
  }
}

/** Unwraps an answer that has to be good. */
export function good<Body>({ status, body }: Answer<Body>): Body {
  if (status >= 200 && status < 300) return body;
  throw new ApiRefusal(status, body);
}

export interface DockConnection {
  readonly mqttUrl: string;
  readonly mqttUser: string;
  readonly mqttPassword: string;
  readonly organisationId: string;
  readonly bindingCode: string;
}

/** Registers a dock, or gives a registered one new credentials. */
export async function registerDock(
  api: Api,
  sn: string,
  model: string,
  name: string,
  protocolGeneration?: string,
): Promise<DockConnection> {
  const generation = protocolGeneration === undefined ? {} : { protocolGeneration };
  const registered = await api.post<DockConnection>('/docks', { sn, model, name, ...generation });
  if (registered.status !== 409) return good(registered);
  return good(await api.post<DockConnection>(`/docks/${sn}/credentials`));
}
