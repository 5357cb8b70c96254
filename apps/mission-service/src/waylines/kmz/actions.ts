import type { Group, Range } from './groups.js';
import type { Place, Problems } from './problems.js';

/** 65535 is reserved. [WPML, actionId] */
const ACTION_ID: Range = { min: 0, max: 65_534, whole: true };
const GROUP_ID: Range = { min: 0, max: 65_535, whole: true };
const HOVER: Range = { min: 0, max: 86_400, unit: 's' };

const FUNCTIONS = new Set([
  'takePhoto',
  'startRecord',
  'stopRecord',
  'focus',
  'zoom',
  'customDirName',
  'gimbalRotate',
  'rotateYaw',
  'hover',
  'gimbalEvenlyRotate',
  'accurateShoot',
  'orientedShoot',
  'panoShot',
  'recordPointCloud',
  'megaphone',
  'searchlight',
  // In files of FlightHub 2 and Pilot 2, and on no page.
  'setFocusType',
  'startContinuousShooting',
  'stopContinuousShooting',
  'targetDetection',
]);

interface Span {
  readonly start: number;
  readonly end: number;
  readonly place: Place;
}

/** Looks at what the aircraft does on its way. The vendor adds functions; what we do not know is only a warning. */
export class ActionChecks {
  count = 0;
  hoverSeconds = 0;
  private readonly groupIds = new Set<number>();
  private spans: Span[] = [];
  private evenly: Place | undefined;
  private hoverOfGroup = 0;

  constructor(private readonly problems: Problems) {}

  startRoute(): void {
    this.count = 0;
    this.hoverSeconds = 0;
    this.spans = [];
    // Pilot 2 numbers them anew in each route.
    this.groupIds.clear();
  }

  addAction(action: Group): void {
    this.count++;
    action.number('actionId', ACTION_ID);
    const name = action.text('actionActuatorFunc');
    if (name === undefined || !FUNCTIONS.has(name)) {
      this.problems.warn(action.placeOf('actionActuatorFunc'), 'is not an action that we know');
    }
    if (name === 'gimbalEvenlyRotate') this.evenly = action.place;
    if (name === 'hover') this.hoverOfGroup += action.number('actionActuatorFuncParam/hoverTime', HOVER) ?? 0;
  }

  addGroup(group: Group): void {
    const id = group.number('actionGroupId', GROUP_ID);
    if (id !== undefined && this.groupIds.has(id)) {
      this.problems.warn(group.placeOf('actionGroupId'), `${id} is the id of another action group of this route, too`);
    }
    if (id !== undefined) this.groupIds.add(id);
    const start = group.number('actionGroupStartIndex', GROUP_ID);
    const end = group.number('actionGroupEndIndex', GROUP_ID);
    // Groups before the route have no range.
    if (start !== undefined && end !== undefined) this.spans.push({ start, end, place: group.place });
    const trigger = group.text('actionTrigger/actionTriggerType');
    if (this.evenly !== undefined && trigger !== 'betweenAdjacentPoints') {
      this.problems.warn(this.evenly, 'gimbalEvenlyRotate works only between two waypoints');
    }
    this.hoverSeconds += this.hoverOfGroup;
    this.hoverOfGroup = 0;
    this.evenly = undefined;
  }

  finishRoute(waypointCount: number): void {
    for (const { start, end, place } of this.spans) {
      if (start > end || end >= waypointCount) {
        this.problems.warn(place, `spans waypoints ${start} to ${end} of a route with 0 to ${waypointCount - 1}`);
      }
    }
  }
}
