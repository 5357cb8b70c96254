import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../wire.js';

export interface StorageRequest {
  readonly method: string;
  readonly key: string;
  /** Of an upload in parts: `uploads` begins one, a number is a part. */
  readonly part: string;
  readonly accessKeyId: string;
}

export interface StorageRefusal {
  readonly status: number;
  readonly code: string;
}

const BUCKET = 'media';

/** As much of S3 as uploads need, in memory. It takes any key, and refuses what a test tells it to. */
export class FakeObjectStorage {
  readonly objects = new Map<string, Buffer>();
  readonly requests: StorageRequest[] = [];
  /** Uploads in parts that were neither finished nor given up. */
  readonly openUploads = new Map<string, Map<number, Buffer>>();
  refuses: (request: StorageRequest) => StorageRefusal | undefined = () => undefined;
  /** Connections that were cut before they were answered. */
  cut = 0;
  private gate = Promise.resolve();
  private readonly waiters = new Map<() => boolean, () => void>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.serve(request, response));
  }

  static async start(): Promise<FakeObjectStorage> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeObjectStorage(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** Resolves when this holds; looked at when a request has come and when a connection has closed. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.set(holds, resolve);
      this.look();
    });
  }

  /** Answers nothing until the returned function is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.gate = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** What `storage_config_get` is answered to send docks here. */
  config(prefix: string, { accessKeyId = 'KEY', lifeSeconds = 3_600, provider = 'minio' } = {}): Json {
    const keys = { access_key_id: accessKeyId, access_key_secret: 's', security_token: 't', expire: lifeSeconds };
    const where = { bucket: BUCKET, endpoint: this.url, region: 'us-east-1', provider };
    return { result: 0, output: { ...where, object_key_prefix: prefix, credentials: keys } };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    response.once('close', () => {
      if (!response.writableFinished) this.cut += 1;
      this.look();
    });
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const wanted: StorageRequest = {
      method: request.method ?? '',
      key: decodeURIComponent(pathname).slice(`/${BUCKET}/`.length),
      part: searchParams.has('uploads') ? 'uploads' : (searchParams.get('partNumber') ?? ''),
      accessKeyId: /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '',
    };
    this.requests.push(wanted);
    this.look();
    await this.gate;
    const refusal = this.refuses(wanted);
    if (refusal) respond(response, refusal.status, `<Error><Code>${refusal.code}</Code></Error>`);
    else this.obey(wanted, searchParams.get('uploadId'), Buffer.concat(chunks), response);
  }

  private look(): void {
    for (const [holds, resolve] of this.waiters) {
      if (!holds()) continue;
      this.waiters.delete(holds);
      resolve();
    }
  }

  private obey({ method, key, part }: StorageRequest, id: string | null, body: Buffer, response: ServerResponse): void {
    const etag = createHash('md5').update(body).digest('hex');
    if (part === 'uploads') {
      const newId = randomUUID();
      this.openUploads.set(newId, new Map());
      respond(response, 200, tagged('InitiateMultipartUploadResult', `<UploadId>${newId}</UploadId>`));
    } else if (id !== null && method === 'PUT') {
      this.openUploads.get(id)?.set(Number(part), body);
      respond(response, 200, '', etag);
    } else if (id !== null && method === 'DELETE') {
      this.openUploads.delete(id);
      respond(response, 204, '');
    } else if (id !== null) {
      const parts = [...(this.openUploads.get(id) ?? [])].sort(([one], [other]) => one - other);
      this.objects.set(key, Buffer.concat(parts.map(([, bytes]) => bytes)));
      this.openUploads.delete(id);
      respond(response, 200, tagged('CompleteMultipartUploadResult', `<ETag>"${etag}-${parts.length}"</ETag>`));
    } else {
      this.objects.set(key, body);
      respond(response, 200, '', etag);
    }
  }
}

function tagged(name: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><${name}>${content}</${name}>`;
}

function respond(response: ServerResponse, status: number, xml: string, etag?: string): void {
  response.writeHead(status, {
    'content-type': 'application/xml',
    ...(etag === undefined ? {} : { etag: `"${etag}"` }),
  });
  response.end(xml);
}
