import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { natsOptions } from '@aerie/messaging';
import { type Logger, Metrics } from '@aerie/observability';
import type { Closers } from '@aerie/testing';
import { NatsAnswers } from '../nats-answers.js';
import type { ServiceOptions } from '../run-service.js';
import { Shutdown } from '../shutdown.js';

export interface InProcess extends Pick<ServiceOptions, 'name' | 'compose' | 'http' | 'nats'> {
  readonly logger: Logger;
}

/**
 * A whole service in the process of its spec, on a port of its own. It answers HTTP, and questions over NATS where `nats`
 * is given. Its intake is not started: nothing happens but what a request begins.
 */
export async function startInProcess(
  closers: Closers,
  { name, compose, http, nats, logger }: InProcess,
): Promise<{ readonly url: string; readonly app: NestExpressApplication }> {
  const shutdown = new Shutdown();
  closers.push(() => shutdown.run(logger));
  const host = { logger, metrics: new Metrics(name), shutdown };
  const module = await compose(host);
  const app = await NestFactory.create<NestExpressApplication>(module, { logger: false, bodyParser: false });
  closers.push(() => app.close());
  http?.(app, host);
  if (nats !== undefined) {
    const strategy = new NatsAnswers({ ...natsOptions(nats, `${name}-answers`), queue: name });
    app.connectMicroservice<MicroserviceOptions>({ strategy });
    await app.startAllMicroservices();
  }
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), app };
}
