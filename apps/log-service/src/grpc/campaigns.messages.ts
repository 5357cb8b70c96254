import { dockModel } from '@aerie/bus-contract';
import { type Message, defined, enumName, isoOf, only, timestampOf, wordOf } from '@aerie/grpc-api';
import { CAMPAIGN_STATES } from '@aerie/log-core';
import { CAMPAIGN_DOCK_STATES } from '../campaigns/campaign.input.js';
import type { CampaignReadModel } from '../campaigns/campaign.read-model.js';
import type { CampaignView } from '../campaigns/campaign.view.js';
import type { Policy } from '../policy/policy.store.js';
import { modulesOf, pageOf, selectionOf, wordsOf } from './requests.js';
import { latestMessage, moduleName, windowMessage } from './uploads.messages.js';

export type CampaignDockView = NonNullable<Awaited<ReturnType<CampaignReadModel['docks']>>>['items'][number];

/** The body that HTTP would have got, for the same checks. */
export function bodyOfCampaign(value: unknown): Message {
  const message = (value ?? {}) as Message;
  const { docks, logs, hours } = message as Readonly<Record<string, Message | null | undefined>>;
  return defined({
    ...only(message, 'name', 'docksPerMinute', 'concurrent', 'maxMegabitsPerSecond'),
    ...only(message, 'stopAtFailedPercent', 'stopNotBeforeDocks'),
    docks: docks && filterOf(docks),
    logs: logs && selectionOf(logs),
    hours: hours && only(hours, 'from', 'until'),
    until: isoOf(message['until']),
  });
}

function filterOf(message: Message): Message {
  const sns = (message['sns'] ?? []) as readonly string[];
  return defined({
    ...only(message, 'nameContains'),
    sns: sns.length === 0 ? undefined : sns,
    models: wordsOf('DOCK_MODEL', dockModel.options, message['models']),
  });
}

/** The query that HTTP would have got. */
export const queryOfCampaigns = (message: Message): Message =>
  defined({ ...pageOf(message), state: wordOf('CAMPAIGN_STATE', CAMPAIGN_STATES, message['state']) });

/** The query that HTTP would have got. */
export const queryOfDocks = (message: Message): Message =>
  defined({
    ...pageOf(message),
    state: wordOf('CAMPAIGN_DOCK_STATE', CAMPAIGN_DOCK_STATES, message['state']),
  });

/** The body that HTTP would have got. */
export function bodyOfPolicy(value: unknown): Message {
  const message = (value ?? {}) as Message;
  return defined({
    ...only(message, 'collectOnFailure', 'collectWhenEndedByPerson', 'missionsFirst', 'retentionDays'),
    collectModules: modulesOf(message['collectModules']),
  });
}

export function campaignMessage(view: CampaignView): Message {
  const { models } = view.filter as { readonly models?: readonly string[] };
  return defined({
    ...view,
    state: enumName('CAMPAIGN_STATE', view.state),
    filter: defined({ ...view.filter, models: models?.map((model) => enumName('DOCK_MODEL', model)) }),
    logs: defined({ window: windowMessage(view.logs.window), latest: latestMessage(view.logs.latest) }),
    until: timestampOf(view.until),
    nextActionAt: timestampOf(view.nextActionAt),
    createdAt: timestampOf(view.createdAt),
    updatedAt: timestampOf(view.updatedAt),
  });
}

export const campaignDockMessage = (view: CampaignDockView): Message =>
  defined({ ...view, state: enumName('CAMPAIGN_DOCK_STATE', view.state), endedAt: timestampOf(view.endedAt) });

export const policyMessage = (policy: Policy): Message =>
  defined({ ...policy, collectModules: policy.collectModules.map(moduleName) });
