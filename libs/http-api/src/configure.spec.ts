import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type Logger, currentRequestId } from '@aerie/observability';
import { z } from 'zod';
import { configureHttp } from './configure.js';
import { jsonAnswer, jsonBody, route } from './openapi/index.js';

const ROUTES = [
  route({
    method: 'post',
    path: '/birds',
    operationId: 'ring',
    public: true,
    tag: 'birds',
    summary: 'irrelevant',
    body: jsonBody(z.strictObject({}), {}),
    answers: { 200: jsonAnswer('A bird.', z.strictObject({})) },
  }),
];

let seen: string | undefined;

@Controller('birds')
class Birds {
  @Post()
  async ring(@Body() body: { readonly fail?: true }): Promise<object> {
    await Promise.resolve();
    seen = currentRequestId();
    if (body.fail === true) throw new Error('a bug');
    return {};
  }
}

@Module({ controllers: [Birds] })
class BirdsModule {}

const logged: Readonly<Record<string, unknown>>[] = [];
const logger = { error: (line: Readonly<Record<string, unknown>>) => logged.push(line) } as unknown as Logger;
let app: NestExpressApplication;
let url: string;
beforeAll(async () => {
  app = await NestFactory.create<NestExpressApplication>(BirdsModule, { logger: false, bodyParser: false });
  configureHttp(app, logger, ROUTES);
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/birds`;
});
afterAll(() => app?.close());

const post = (id: string, body: string): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'X-Request-Id': id, 'Content-Type': 'application/json' }, body });

describe('the id of a request', () => {
  it('is known to whatever the request causes, also after its body was read', async () => {
    await post('r-1', '{}');
    expect(seen).toBe('r-1');
  });

  it('is in the log line of a failure and in the answer', async () => {
    const response = await post('r-2', '{"fail":true}');
    expect([response.status, response.headers.get('X-Request-Id')]).toEqual([500, 'r-2']);
    expect(logged).toMatchObject([{ requestId: 'r-2', method: 'POST' }]);
  });

  it('is in the answer to a body that cannot be read', async () => {
    const response = await post('r-3', '{');
    expect([response.status, response.headers.get('X-Request-Id')]).toEqual([400, 'r-3']);
  });
});
