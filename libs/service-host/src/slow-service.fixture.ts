// A service that takes its time, as a process of its own: what it says of itself is written to standard output.
import { Controller, Get, Module, Post } from '@nestjs/common';
import { GrpcMethod, MessagePattern, Payload } from '@nestjs/microservices';
import { MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { hostModule, runService } from './run-service.js';

let storageIsOpen = true;

async function work(ms: number): Promise<{ storageWasOpen: boolean }> {
  process.stdout.write('working\n');
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { storageWasOpen: storageIsOpen };
}

const workMs = Number(process.env['WORK_MS']);

@Controller()
class SlowController {
  @Get('slow')
  read() {
    return work(workMs);
  }

  @Post('slow')
  write() {
    return work(workMs);
  }

  @MessagePattern('test.slow')
  question(@Payload() _ask: unknown) {
    return work(workMs);
  }

  @GrpcMethod('MissionService', 'CancelMission')
  async cancel() {
    const { storageWasOpen } = await work(workMs);
    return { mission: { id: String(storageWasOpen) } };
  }

  @GrpcMethod('MissionService', 'GetMission')
  async find() {
    return this.cancel();
  }
}

@Module({})
class SlowModule {}

await runService({
  name: 'slow-service',
  httpHost: '127.0.0.1',
  httpPort: Number(process.env['HTTP_PORT']),
  logLevel: process.env['LOG_LEVEL'] ?? 'silent',
  nats: process.env['NATS_URL'] ?? '',
  grpc: {
    host: '127.0.0.1',
    port: Number(process.env['GRPC_PORT']),
    package: 'mission.v1',
    protoFolder: PROTO_FOLDER,
    protoFile: MISSION_PROTO,
  },
  compose: async (host) => {
    host.shutdown.on('storage', 'storage', async () => {
      storageIsOpen = false;
    });
    return { module: SlowModule, imports: [hostModule(host)], controllers: [SlowController] };
  },
});
