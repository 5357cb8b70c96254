import { fileURLToPath } from 'node:url';

/** Where the .proto files lie; what a gRPC server or client is loaded from. */
export const PROTO_FOLDER = fileURLToPath(new URL('../proto', import.meta.url));

/** The gRPC contract of mission-service, relative to the folder. */
export const MISSION_PROTO = 'mission/v1/mission.proto';

/** The gRPC contract of credential-service, relative to the folder. */
export const CREDENTIAL_PROTO = 'credential/v1/credential.proto';

/** The gRPC contract of log-service, relative to the folder. */
export const LOG_PROTO = 'log/v1/log.proto';
