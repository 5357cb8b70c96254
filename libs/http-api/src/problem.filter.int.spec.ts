import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger } from '@aerie/observability';
import { createDataSource, inTransaction } from '@aerie/persistence';
import { type TestDatabase, createTestDatabase, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { ProblemFilter } from './problem.filter.js';

const logger = createLogger('test', 'silent');

describe('a request that gets no database connection in time', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let app: INestApplication;
  let release: () => Promise<void>;

  @Controller()
  class Accounts {
    @Get('read')
    read(): Promise<unknown> {
      return dataSource.query('SELECT 1');
    }

    @Get('write')
    write(): Promise<number> {
      return inTransaction(dataSource, (tx) => tx.run('SELECT 1'));
    }
  }

  @Module({ controllers: [Accounts] })
  class AccountsModule {}

  beforeAll(async () => {
    database = await createTestDatabase(testEnvironment().databaseUrl, 'http_api_empty', () => Promise.resolve());
    dataSource = await createDataSource({
      url: database.url,
      applicationName: 'problem-filter-spec',
      schema: 'public',
      migrations: [],
      poolSize: 1,
      statementTimeoutMs: 2_000,
      logger,
    }).initialize();
    const holder = dataSource.createQueryRunner();
    await holder.connect();
    release = () => holder.release();
    app = await NestFactory.create(AccountsModule, { logger: false });
    app.useGlobalFilters(new ProblemFilter(logger));
    await app.listen(0, '127.0.0.1');
  });

  afterAll(async () => {
    await app?.close();
    await release?.();
    await dataSource?.destroy();
    await database?.drop();
  });

  it.each(['read', 'write'])('is told to come again later, when it wants to %s', async (path) => {
    const response = await fetch(`${await app.getUrl()}/${path}`);
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '2']);
    expect(await response.json()).toMatchObject({ code: 'database_busy' });
  });
});
