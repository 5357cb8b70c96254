import { z } from 'zod';
import { integer, optional, record, text } from '../tolerant.js';

/** The first question of a dock that connects. [Cloud API 1.3.0, config] */
export interface ConfigRequest {
  /** `json`. */
  readonly config_type?: string;
  /** `product`. */
  readonly config_scope?: string;
}

/** The only reply that is flat: neither result nor output (quirk D6). */
export interface ConfigReply {
  /** A dock without Internet needs it: a wrong clock refuses every flight (319008). */
  readonly ntp_server_host?: string;
  /** Default 123. Since 1.11. */
  readonly ntp_server_port?: number;
  /** From the vendor's developer site. */
  readonly app_id?: string;
  readonly app_key?: string;
  readonly app_license?: string;
}

export const decodeConfigRequest: z.ZodType<ConfigRequest> = record({
  config_type: optional(text),
  config_scope: optional(text),
});

export const decodeConfigReply: z.ZodType<ConfigReply> = record({
  ntp_server_host: optional(text),
  ntp_server_port: optional(integer),
  app_id: optional(text),
  app_key: optional(text),
  app_license: optional(text),
});

export const strictConfigReply: z.ZodType<ConfigReply> = z.object({
  ntp_server_host: z.exactOptional(z.string()),
  ntp_server_port: z.exactOptional(z.int().min(1).max(65535)),
  app_id: z.string(),
  app_key: z.string(),
  app_license: z.string(),
});
