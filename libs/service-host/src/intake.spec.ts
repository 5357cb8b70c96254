import 'reflect-metadata';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Intake, withIntake } from './intake.js';

@Module({})
class AppModule {}

let started: number;
let app: NestExpressApplication;

beforeEach(async () => {
  started = 0;
  const intake = new Intake(
    () => void started++,
    () => started > 0 || 'waiting for the start',
  );
  const module: DynamicModule = { module: AppModule, providers: [{ provide: Intake, useValue: intake }] };
  app = await NestFactory.create<NestExpressApplication>(module, { logger: false });
});
afterEach(() => app.close());

it('starts the intake that the module provides, and says what the service lacks until then', async () => {
  expect(await withIntake.ready(app)).toBe('waiting for the start');
  await withIntake.start(app, {} as never);
  expect([started, await withIntake.ready(app)]).toEqual([1, true]);
});

it('refuses to start a module without an intake, which would do nothing for ever', async () => {
  const other = await NestFactory.create<NestExpressApplication>(
    { module: AppModule },
    { logger: false, abortOnError: false },
  );
  await expect(withIntake.start(other, {} as never)).rejects.toThrow('Intake');
  await other.close();
});
