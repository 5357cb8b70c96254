import {
  type Message,
  type ProtoTimestamp,
  defined,
  enumName,
  msOf,
  textOf,
  timestampOf,
  wordOf,
} from '@aerie/grpc-api';
import { InvalidError } from '@aerie/kernel';
import { STATES, type RuleResult } from '@aerie/mission-core';
import type { Preview } from '../missions/planning/create-mission.js';
import type { TimelineView } from '../missions/views/mission.read-model.js';
import type { MissionView } from '../missions/views/mission.view.js';

export const KINDS = ['immediate', 'timed', 'conditional'] as const;
const RC_LOST = ['continue', 'executeLostAction'] as const;
const POSITIONINGS = ['gps', 'rtk'] as const;
const SORT_OF_ORDER: Readonly<Record<string, string>> = {
  MISSION_ORDER_CREATED_AT: 'createdAt',
  MISSION_ORDER_TIME: 'time',
  MISSION_ORDER_TIME_DESC: '-time',
};

/** The body that HTTP would have got, for the same checks. */
export function bodyOfNewMission(value: unknown): Message {
  const message = (value ?? {}) as Message;
  const window = message['window'] as Message | null | undefined;
  const simulate = message['simulate'] as Message | null | undefined;
  return defined({
    dockSn: message['dockSn'],
    waylineId: message['waylineId'],
    kind: wordOf('MISSION_KIND', KINDS, message['kind']),
    executeAt: msOf(message['executeAt'] as ProtoTimestamp),
    window: window
      ? defined({
          from: msOf(window['from'] as ProtoTimestamp),
          until: msOf(window['until'] as ProtoTimestamp),
          batteryAbovePercent: window['batteryAbovePercent'],
        })
      : undefined,
    rthAltitudeMeters: message['rthAltitudeMeters'],
    exitOnRcLost: wordOf('RC_LOST_ACTION', RC_LOST, message['exitOnRcLost']),
    positioning: wordOf('POSITIONING', POSITIONINGS, message['positioning']),
    name: message['name'],
    simulate: simulate
      ? defined({
          latitude: simulate['latitude'],
          longitude: simulate['longitude'],
          altitudeMeters: simulate['altitudeMeters'],
        })
      : undefined,
    storageNeededMegabytes: message['storageNeededMegabytes'],
    flightAreaCheck: message['flightAreaCheck'],
    startWindowMs: message['startWindowMs'],
    startWithinMs: message['startWithinMs'],
    executeLeadMs: message['executeLeadMs'],
    prepareLeadMs: message['prepareLeadMs'],
  });
}

/** The query that HTTP would have got. */
export function queryOfList(message: Message): Message {
  const states = (message['states'] as readonly unknown[] | undefined) ?? [];
  return defined({
    dockSn: message['dockSn'],
    state: states.length === 0 ? undefined : states.map((name) => wordOf('MISSION_STATE', STATES, name)).join(','),
    kind: wordOf('MISSION_KIND', KINDS, message['kind']),
    waylineId: message['waylineId'],
    from: msOf(message['from'] as ProtoTimestamp),
    until: msOf(message['until'] as ProtoTimestamp),
    sort: sortOf(message['order']),
    limit: message['pageSize'],
    cursor: message['pageToken'],
  });
}

function sortOf(order: unknown): string | undefined {
  if (order === undefined || order === null || order === 'MISSION_ORDER_UNSPECIFIED') return undefined;
  const name = textOf(order);
  const sort = Object.hasOwn(SORT_OF_ORDER, name) ? SORT_OF_ORDER[name] : undefined;
  if (sort !== undefined) return sort;
  const message = `must be one of ${Object.keys(SORT_OF_ORDER).join(', ')}, not ${name}`;
  throw new InvalidError('invalid_input', 'the request is not valid', { fields: [{ field: 'order', message }] });
}

export function missionMessage(view: MissionView): Message {
  const { window, preflight, cause, progress, resolution, approval } = view;
  return defined({
    ...view,
    kind: enumName('MISSION_KIND', view.kind),
    state: enumName('MISSION_STATE', view.state),
    executeAt: timestampOf(view.executeAt),
    prepareAt: timestampOf(view.prepareAt),
    deadline: timestampOf(view.deadline),
    window: window && { ...window, from: timestampOf(window.from), until: timestampOf(window.until) },
    exitOnRcLost: enumName('RC_LOST_ACTION', view.exitOnRcLost),
    positioning: enumName('POSITIONING', view.positioning),
    startedAt: timestampOf(view.startedAt),
    nextActionAt: timestampOf(view.nextActionAt),
    preflight: defined({
      plan: stageMessage(preflight.plan),
      prepare: stageMessage(preflight.prepare),
      execute: stageMessage(preflight.execute),
    }),
    approval: approval && approvalMessage(approval),
    cause: cause && causeMessage(cause),
    progress: progress && defined({ ...progress, reportedAt: timestampOf(progress.reportedAt) }),
    resolution: undefined,
    resolutionJson: resolution === null ? undefined : JSON.stringify(resolution),
    createdAt: timestampOf(view.createdAt),
    updatedAt: timestampOf(view.updatedAt),
  });
}

const approvalMessage = (approval: NonNullable<MissionView['approval']>): Message =>
  defined({
    ...approval,
    state: enumName('APPROVAL_STATE', approval.state),
    until: timestampOf(approval.until),
    decidedAt: timestampOf(approval.decidedAt),
  });

const stageMessage = (stage: MissionView['preflight']['plan']): Message | undefined =>
  stage === null
    ? undefined
    : { verdict: enumName('VERDICT', stage.verdict), failed: stage.failed, at: timestampOf(stage.at) };

const wordsMessage = ({ en, zh, retry, advice }: NonNullable<MissionView['cause']>['text']): Message => ({
  ...{ en, zh, retry },
  adviceEn: advice.en,
  adviceZh: advice.zh,
});

function causeMessage(cause: NonNullable<MissionView['cause']>): Message {
  const { text, dockError, endedBy, ...rest } = cause;
  const words = { text: wordsMessage(text), dockError: dockError && wordsMessage(dockError) };
  return defined({ ...rest, ...words, endedBy: endedBy ? enumName('ENDED_BY', endedBy) : undefined });
}

export function previewMessage({ verdict, conflicts, earliestExecuteAt, preflight, plan }: Preview): Message {
  return defined({
    verdict: enumName('VERDICT', verdict),
    conflicts: conflicts.map((conflict) =>
      defined({ ...conflict, from: timestampOf(conflict.from), until: timestampOf(conflict.until) }),
    ),
    earliestExecuteAt: timestampOf(earliestExecuteAt),
    preflightVerdict: enumName('VERDICT', preflight.verdict),
    rules: preflight.rules.map(ruleMessage),
    prepareAt: timestampOf(plan.prepareAt),
    deadline: timestampOf(plan.deadline),
    plannedDurationSeconds: plan.plannedDurationSeconds,
    approveBy: timestampOf(plan.approveBy),
  });
}

const ruleMessage = (rule: RuleResult): Message =>
  defined({
    ...rule,
    verdict: enumName('VERDICT', rule.verdict),
    input: valueMessage(rule.input),
    limit: valueMessage(rule.limit),
  });

/** google.protobuf.Value. */
function valueMessage(value: RuleResult['input']): Message {
  switch (typeof value) {
    case 'number':
      return { numberValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'string':
      return { stringValue: value };
    default:
      return { nullValue: 'NULL_VALUE' };
  }
}

export const timelineMessage = ({ at, detail, ...entry }: TimelineView): Message =>
  defined({ ...entry, at: timestampOf(at), detailJson: JSON.stringify(detail) });
