import { Controller, Get, Module } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { connectNats } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { startAll, testEnvironment } from '@aerie/testing';
import { hostModule } from '../run-service.js';
import { lateLink } from './late-link.fixture.js';
import { startInProcess } from './start-in-process.js';

const logger = createLogger('test', 'silent');

@Controller('thing')
class ThingController {
  @Get()
  find(): string {
    return 'over HTTP';
  }

  @MessagePattern('ask.test.inProcess')
  answer(): string {
    return 'over NATS';
  }
}

@Module({})
class ThingModule {}

it('answers over HTTP and NATS, and closes what it was composed of when it is stopped', async () => {
  const { natsUrl } = testEnvironment();
  const closed: string[] = [];
  const { url, others, stop } = await startAll(async (closers) => {
    const others = await connectNats(natsUrl, 'others', logger);
    closers.push(() => others.close());
    const service = await startInProcess(closers, {
      ...{ name: 'thing-service', logger, nats: natsUrl },
      compose: async (host) => {
        host.shutdown.on('storage', 'storage', async () => void closed.push('storage'));
        return { module: ThingModule, imports: [hostModule(host)], controllers: [ThingController] };
      },
    });
    return { ...service, others };
  });
  try {
    expect(await (await fetch(`${url}/thing`)).text()).toBe('over HTTP');
    const packet = JSON.stringify({ pattern: 'ask.test.inProcess', data: {}, id: '1' });
    const answer = await others.request('ask.test.inProcess', packet, { timeout: 5_000 });
    expect(answer.json()).toMatchObject({ response: 'over NATS' });
    expect(closed).toEqual([]);
  } finally {
    await stop();
  }
  expect(closed).toEqual(['storage']);
  await expect(fetch(`${url}/thing`)).rejects.toThrow();
});

it('answers whoever asks the moment it has started, however late its subscriptions arrive', async () => {
  const { natsUrl } = testEnvironment();
  const { others, stop } = await startAll(async (closers) => {
    const others = await connectNats(natsUrl, 'others', logger);
    closers.push(() => others.close());
    await startInProcess(closers, {
      ...{ name: 'thing-service', logger, nats: await lateLink(closers, natsUrl, 100) },
      compose: async (host) => ({ module: ThingModule, imports: [hostModule(host)], controllers: [ThingController] }),
    });
    return { others };
  });
  try {
    const packet = JSON.stringify({ pattern: 'ask.test.inProcess', data: {}, id: '1' });
    const answer = await others.request('ask.test.inProcess', packet, { timeout: 5_000 });
    expect(answer.json()).toMatchObject({ response: 'over NATS' });
  } finally {
    await stop();
  }
});
