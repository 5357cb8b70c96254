import { TEMPLATE } from './entry-name.js';
import { type Group, GroupReader } from './groups.js';
import { LIMITS } from './limits.js';
import { readMissionConfig } from './mission-config.js';
import type { Place, Problems } from './problems.js';
import type { MissionConfig } from './wayline.js';

/** Reads `wpmz/template.kml`, from which a person edits the route. It does not fly, so little of it can be wrong. */
export class TemplateFile {
  readonly handler: GroupReader;
  templateType: string | undefined;
  private missionConfig: MissionConfig | undefined;
  private configPlace: Place = { file: TEMPLATE, line: 1, element: 'wpml:missionConfig' };
  private sawConfig = false;
  private sawFolder = false;
  private placemarks = 0;
  private readonly payloads: Group[] = [];

  constructor(private readonly problems: Problems) {
    this.handler = new GroupReader(
      TEMPLATE,
      problems,
      (group) => this.open(group),
      (group) => this.close(group),
    );
  }

  finish(): void {
    if (!this.sawConfig) this.problems.add(this.configPlace, 'is missing in <Document>');
    if (!this.sawFolder) this.problems.add({ file: TEMPLATE, line: 1, element: 'Folder' }, 'is missing in <Document>');
  }

  /** The aircraft flies the other file; an operator who edited only this one would be surprised. */
  compareWith(flown: MissionConfig): void {
    const { missionConfig, problems, configPlace } = this;
    if (missionConfig === undefined) return;
    if (missionConfig.droneModelKey !== flown.droneModelKey) {
      const message = `is for aircraft ${missionConfig.droneModelKey}, but waylines.wpml for ${flown.droneModelKey}`;
      problems.warn({ ...configPlace, element: 'wpml:droneInfo' }, message);
    }
    if (missionConfig.finishAction !== flown.finishAction) {
      const message = `is ${missionConfig.finishAction}, but waylines.wpml has ${flown.finishAction}, which is flown`;
      problems.warn({ ...configPlace, element: 'wpml:finishAction' }, message);
    }
  }

  private open(group: Group): void {
    if (group.kind === 'missionConfig') this.configPlace = group.place;
    if (group.kind === 'placemark' && ++this.placemarks > LIMITS.waypoints) {
      this.problems.stopAll(group.place, `the file has more than ${LIMITS.waypoints} waypoints`);
    }
  }

  private close(group: Group): void {
    if (group.kind === 'payloadInfo') this.payloads.push(group);
    if (group.kind === 'missionConfig') {
      this.sawConfig = true;
      this.missionConfig = readMissionConfig(group, this.payloads, this.problems);
    }
    if (group.kind !== 'folder') return;
    this.sawFolder = true;
    const type = group.text('templateType');
    // It only says how the route was drawn; FlightHub 2 has types of its own.
    if (type === undefined) this.problems.warn(group.placeOf('templateType'), 'is missing in <Folder>');
    this.templateType ??= type;
  }
}
