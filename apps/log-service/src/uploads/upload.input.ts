import { BOOTS_LIMIT, LOG_MODULES, STATES, type Selection, type WantedBoot } from '@aerie/log-core';
import { queryList, readInput } from '@aerie/http-api';
import { isSerialNumber } from '@aerie/kernel';
import { z } from 'zod';

export const dockSn = z
  .string()
  .refine(isSerialNumber, 'must be a serial number: 1 to 64 letters, digits, _ or -')
  .describe('Serial number of the dock.');
export const module = z.enum(LOG_MODULES).describe('Whose logs: of the station, or of the aircraft in it.');
export const modules = z
  .array(module)
  .min(1)
  .max(2)
  .refine((list) => new Set(list).size === list.length, 'must not name a module twice')
  .describe('Whose logs.');
const instant = z.iso.datetime({ offset: true });

/** No plausible power cycle has a higher number; the database keeps 32 bits. */
const MAX_BOOT_INDEX = 2_147_483_647;

const files = z
  .array(
    z.strictObject({
      module,
      bootIndex: z.int().min(0).max(MAX_BOOT_INDEX).describe('Number of the power cycle, as the dock lists it.'),
    }),
  )
  .min(1)
  .max(BOOTS_LIMIT)
  .describe('Files as the dock lists them.');

/** Body of POST /log-uploads. */
export const newUpload = z.strictObject({
  dockSn,
  files: files.optional().describe('Exactly these files. One of `files`, `window` and `latest` is needed.'),
  window: z
    .strictObject({
      from: instant.describe('RFC 3339.'),
      until: instant.describe('RFC 3339, after `from`.'),
      modules: modules.optional().describe('Default: both.'),
    })
    .optional()
    .describe('What was logged at any time of a span.'),
  latest: z
    .strictObject({
      count: z.int().min(1).max(BOOTS_LIMIT).describe('How many power cycles of each module.'),
      modules: modules.optional().describe('Default: both.'),
    })
    .optional()
    .describe('The newest logs.'),
  missionId: z.uuid().optional().describe('The mission that they are to be attached to.'),
});

/** What a campaign wants of each dock: boot numbers of one dock mean nothing for another. */
export const campaignSelection = newUpload
  .pick({ window: true, latest: true })
  .describe('Which logs of each dock: one of `window` and `latest`.');

export interface NewUpload {
  readonly dockSn: string;
  readonly selection: Selection;
  readonly missionId: string | null;
}

export function readNewUpload(body: unknown): NewUpload {
  const { dockSn: sn, missionId = null, ...wanted } = readInput(newUpload.check(oneSelection), body);
  return { dockSn: sn, missionId, selection: selectionOf(wanted) };
}

type Wanted = Omit<z.output<typeof newUpload>, 'dockSn' | 'missionId'>;

/** Names what is wrong with the choice of files, by the field. */
export function oneSelection(context: z.core.ParsePayload<Wanted>): void {
  const { files: chosen, window, latest } = context.value;
  const given = [chosen, window, latest].filter((choice) => choice !== undefined).length;
  const problem = (path: string[], message: string): void =>
    void context.issues.push({ code: 'custom', path, message, input: context.value });
  if (given !== 1) problem(['files'], 'give exactly one of files, window and latest');
  if (window !== undefined && Date.parse(window.until) <= Date.parse(window.from)) {
    problem(['window', 'until'], 'must be after from');
  }
}

export function selectionOf({ files: chosen, window, latest }: Wanted): Selection {
  if (window !== undefined) {
    const [fromMs, untilMs] = [Date.parse(window.from), Date.parse(window.until)];
    return { kind: 'window', fromMs, untilMs, modules: window.modules ?? LOG_MODULES };
  }
  if (latest !== undefined) return { kind: 'latest', count: latest.count, modules: latest.modules ?? LOG_MODULES };
  return { kind: 'files', files: unique(chosen ?? []) };
}

const unique = (boots: readonly WantedBoot[]): WantedBoot[] => [
  ...new Map(boots.map((boot) => [`${boot.module} ${boot.bootIndex}`, boot])).values(),
];

/** Query of GET /log-uploads. */
export const uploadQuery = z.object({
  dockSn: dockSn.optional().describe('Only uploads of this dock.'),
  state: queryList(STATES).optional().describe('Only uploads in one of these states, separated by commas.'),
  missionId: z.uuid().optional().describe('Only what is attached to this mission.'),
  campaignId: z.uuid().optional().describe('Only uploads of this campaign.'),
});
