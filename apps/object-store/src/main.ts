import type { Server } from 'node:http';
import { runService } from '@aerie/service-host';
import type { Request, Response } from 'express';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';
import { S3Server } from './s3/s3-server.js';

/** 5 GiB through a slow pipe; a client that sends nothing is cut off far earlier. */
const REQUEST_LIMIT_MS = 3_600_000;
const SILENCE_LIMIT_MS = 60_000;

const config = loadConfig(process.env);

await runService({
  name: 'object-store',
  httpHost: config.OBJECT_STORE_HOST,
  httpPort: config.OBJECT_STORE_PORT,
  logLevel: config.OBJECT_STORE_LOG_LEVEL,
  compose: (host) => AppModule.compose(config, host),
  // Whatever is no health route is S3: Nest's router sees none of it.
  http: (app) => {
    const server = app.get(S3Server);
    app.use((request: Request, response: Response) => void server.handle(request, response));
    const http: Server = app.getHttpServer();
    http.requestTimeout = REQUEST_LIMIT_MS;
    http.timeout = SILENCE_LIMIT_MS;
    // Node's five seconds cut off clients that pause between uploads, and a streamed body cannot be sent again.
    http.keepAliveTimeout = SILENCE_LIMIT_MS;
  },
});
