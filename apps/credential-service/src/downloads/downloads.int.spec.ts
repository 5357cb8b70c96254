import { randomUUID } from 'node:crypto';
import { type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { presignDownloadQuestion } from '@aerie/bus-contract';
import { type NatsConnection, ask, connectNats, natsOptions } from '@aerie/messaging';
import { Metrics, createLogger } from '@aerie/observability';
import { Shutdown } from '@aerie/service-host';
import { testEnvironment } from '@aerie/testing';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config.js';

const { natsUrl } = testEnvironment();
const logger = createLogger('credential-service', 'silent');
const config = loadConfig({
  CREDENTIAL_HTTP_PORT: '0',
  NATS_URL: natsUrl,
  S3_ENDPOINT: 'http://127.0.0.1:9000',
  S3_BUCKET: 'aerie',
  S3_ACCESS_KEY_ID: 'AKEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'the secret of this test',
});
const organisationId = randomUUID();
const objectKey = `${organisationId}/waylines/${'b'.repeat(64)}.kmz`;

describe('asking for a download over NATS', () => {
  let service: INestMicroservice;
  let nats: NatsConnection;

  beforeAll(async () => {
    const host = { logger, metrics: new Metrics('credential-service'), shutdown: new Shutdown() };
    service = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule.compose(config, host), {
      logger: false,
      transport: Transport.NATS,
      options: { ...natsOptions(natsUrl, 'credential-service-answers'), queue: 'credential-service' },
    });
    await service.listen();
    nats = await connectNats(natsUrl, 'credential-service-spec', logger);
  });
  afterAll(async () => {
    await nats.drain();
    await service.close();
  });

  it('is answered with a URL', async () => {
    const answer = await ask(nats, presignDownloadQuestion, { organisationId, objectKey, lifetimeSeconds: 60 });
    expect(answer.url).toContain(`http://127.0.0.1:9000/aerie/${objectKey}?`);
    expect(answer.expiresAtMs).toBeGreaterThan(Date.now() + 55_000);
  });

  it('is refused with its reason for another organisation', async () => {
    const asked = ask(nats, presignDownloadQuestion, { organisationId: randomUUID(), objectKey, lifetimeSeconds: 60 });
    await expect(asked).rejects.toMatchObject({ cause: { code: 'object_not_of_organisation' } });
  });

  it('is refused with its reason for a lifetime of a year', async () => {
    const asked = ask(nats, presignDownloadQuestion, { organisationId, objectKey, lifetimeSeconds: 31_536_000 });
    await expect(asked).rejects.toMatchObject({ cause: { code: 'invalid_question' } });
  });
});
