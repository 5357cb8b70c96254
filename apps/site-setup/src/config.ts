import { type CommandSettings, type ProgramSettings, peer, readCommandSettings } from '@aerie/service-host';
import { z } from 'zod';

/** A name or an address, as it stands in a certificate and in a URL. */
const HOST = /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

const schema = z.object({
  SITE_HOST: z
    .string()
    .regex(HOST, 'must be a host name or an IPv4 address, without a scheme and without a port')
    .describe('Name or address by which docks and people reach this site. There is no default.'),
  SITE_DIRECTORY: z.string().min(1).default('/site').describe('Where one folder for each container lies.'),
  SITE_OWNER: z
    .string()
    .regex(/^\d{1,10}:\d{1,10}$/, 'must be UID:GID, two numbers')
    .transform((text) => {
      const [uid = 0, gid = 0] = text.split(':').map(Number);
      return { uid, gid };
    })
    .optional()
    .describe('UID:GID of the containers, who get the files. Default: whoever runs this.'),
  SITE_DATA_FOLDERS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((folder) => folder.trim() || []))
    .describe('Folders of data that belong to SITE_OWNER as well, separated by commas.'),
  SITE_BROKER_FILE: z
    .string()
    .default('/data/mosquitto/dynamic-security.json')
    .describe('Where the broker keeps its users.'),
  SITE_PLAIN_DOCKS: z
    .enum(['yes', 'no'])
    .default('no')
    .transform((text) => text === 'yes')
    .describe('yes: docks may also connect to port 1883, where nothing is encrypted, their passwords included.'),
});

export type Config = z.output<typeof schema>;

export const SETTINGS = { program: 'site-setup', prefix: 'SITE_', schema } satisfies ProgramSettings;

/** What the commands beside it read. */
export const COMMANDS = {
  'make-database-roles.js': z.object({
    DATABASE_URL: peer('postgres').describe('The database of the site, as its owner or a superuser.'),
    DATABASE_ROLES_DIRECTORY: z
      .string()
      .min(1)
      .default('/run/aerie')
      .describe('Where a file `<role>-password` lies for each role.'),
  }),
} satisfies CommandSettings;

export const loadConfig = (): Config => readCommandSettings(SETTINGS);
