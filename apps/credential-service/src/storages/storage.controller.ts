import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readIfMatch, AuditedWithItsChange } from '@aerie/http-api';
import type { DoctorReport } from '../doctor/doctor.schema.js';
import { RunDoctor } from '../doctor/run-doctor.js';
import { ChangeStorage } from './change-storage.js';
import { Outbound } from '@aerie/outbound';
import { readStorageInput } from './storage.input.js';
import { type StorageView, storageView } from './storage.schema.js';
import { Storages } from './storage-access.js';

/** Where what the docks of an organisation upload is kept. */
@Controller('api/v1/storage')
@UseGuards(ApiKeyGuard)
export class StorageController {
  constructor(
    private readonly storages: Storages,
    private readonly changeStorage: ChangeStorage,
    private readonly outbound: Outbound,
    private readonly doctor: RunDoctor,
  ) {}

  @Get()
  async find(@Caller() caller: Principal): Promise<StorageView> {
    return shown(await this.storages.of(caller.organisationId));
  }

  /** Works for every set of keys from now on, within two seconds in every replica. */
  @Put()
  @AuditedWithItsChange()
  async replace(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<StorageView> {
    const storage = readStorageInput(body, this.outbound);
    const { version } = await this.changeStorage.replace(caller, storage, readIfMatch(ifMatch));
    return shown({ ...(await this.storages.of(caller.organisationId)), version });
  }

  /** Back to the storage of the deployment. */
  @Delete()
  @AuditedWithItsChange()
  async remove(@Caller() caller: Principal, @Headers('if-match') ifMatch: string | undefined): Promise<StorageView> {
    await this.changeStorage.remove(caller, readIfMatch(ifMatch));
    return shown(await this.storages.of(caller.organisationId));
  }

  /** Does with the storage what a dock would do, and says what is wrong. */
  @Post('doctor')
  @HttpCode(200)
  examine(@Caller() caller: Principal): Promise<DoctorReport> {
    return this.doctor.execute(caller.organisationId);
  }
}

const shown = (access: Awaited<ReturnType<Storages['of']>>): StorageView =>
  storageView(access, access.provider.denialSupport);
