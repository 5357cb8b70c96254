import type { Group, Range } from './groups.js';
import type { Problems } from './problems.js';
import {
  EXIT_ON_RC_LOST,
  FINISH_ACTIONS,
  FLY_TO_WAYLINE_MODES,
  type MissionConfig,
  RC_LOST_ACTIONS,
} from './wayline.js';

export const SPEED: Range = { min: 1, max: 15, unit: 'm/s', whole: false };
/** A dock climbs at least over itself and what stands beside it. [WPML, takeOffSecurityHeight] */
const TAKE_OFF_HEIGHT: Range = { min: 8, max: 1_500, unit: 'm' };
const RTH_HEIGHT: Range = { min: 2, max: 1_500, unit: 'm' };
const MODEL: Range = { min: 0, max: 65_535, whole: true };

/** Reads `<wpml:missionConfig>` of one of the two files. Undefined: something was wrong, and is noted. */
export function readMissionConfig(
  config: Group,
  payloads: readonly Group[],
  problems: Problems,
): MissionConfig | undefined {
  const flyToWaylineMode = config.requiredWord('flyToWaylineMode', FLY_TO_WAYLINE_MODES);
  const finishAction = config.requiredWord('finishAction', FINISH_ACTIONS);
  const exitOnRcLost = config.requiredWord('exitOnRCLost', EXIT_ON_RC_LOST);
  const executeRcLostAction =
    exitOnRcLost === 'executeLostAction'
      ? config.requiredWord('executeRCLostAction', RC_LOST_ACTIONS)
      : config.word('executeRCLostAction', RC_LOST_ACTIONS);
  const takeOffSecurityHeightMeters = config.requiredNumber('takeOffSecurityHeight', TAKE_OFF_HEIGHT);
  const globalTransitionalSpeedMetersPerSecond = config.requiredNumber('globalTransitionalSpeed', SPEED);
  const globalRthHeightMeters = config.number('globalRTHHeight', RTH_HEIGHT);
  const droneType = config.requiredNumber('droneInfo/droneEnumValue', MODEL);
  const droneSubType = config.number('droneInfo/droneSubEnumValue', MODEL);
  const payloadModelKeys = payloads.flatMap((payload) => {
    const type = payload.requiredNumber('payloadEnumValue', MODEL);
    const subType = payload.number('payloadSubEnumValue', MODEL) ?? 0;
    return type === undefined ? [] : [`1-${type}-${subType}`];
  });
  if (
    flyToWaylineMode === undefined ||
    finishAction === undefined ||
    exitOnRcLost === undefined ||
    takeOffSecurityHeightMeters === undefined ||
    globalTransitionalSpeedMetersPerSecond === undefined ||
    droneType === undefined
  ) {
    return undefined;
  }
  const namesDroneSubType = config.text('droneInfo/droneSubEnumValue') !== undefined;
  if (!namesDroneSubType) {
    problems.warn(config.placeOf('droneInfo/droneSubEnumValue'), 'is missing; each subtype of the aircraft counts');
  }
  return {
    flyToWaylineMode,
    finishAction,
    exitOnRcLost,
    ...(executeRcLostAction === undefined ? {} : { executeRcLostAction }),
    takeOffSecurityHeightMeters,
    globalTransitionalSpeedMetersPerSecond,
    ...(globalRthHeightMeters === undefined ? {} : { globalRthHeightMeters }),
    droneModelKey: `0-${droneType}-${droneSubType ?? 0}`,
    namesDroneSubType,
    payloadModelKeys,
  };
}

/** What a dock accepts, but an operator should know. Asked of the file that flies. */
export function warnOfConfig(config: Group, read: MissionConfig, problems: Problems): void {
  if (read.finishAction !== 'goHome') {
    problems.warn(config.placeOf('finishAction'), `is ${read.finishAction}: the aircraft does not return to its dock`);
  }
  if (read.globalRthHeightMeters === undefined) {
    problems.warn(config.placeOf('globalRTHHeight'), 'is missing; the height of the mission itself is used');
  }
  if (read.executeRcLostAction !== undefined && read.executeRcLostAction !== 'goBack') {
    problems.warn(config.placeOf('executeRCLostAction'), `is ${read.executeRcLostAction}: the aircraft may stay away`);
  }
  if (read.payloadModelKeys.length === 0) {
    problems.warn(
      config.placeOf('payloadInfo'),
      'is missing; nobody can tell whether the aircraft has the right camera',
    );
  }
}
