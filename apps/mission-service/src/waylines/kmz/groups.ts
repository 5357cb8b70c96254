import { type Place, type Problems, quote } from './problems.js';
import type { XmlElement, XmlHandler } from './xml-reader.js';

export type GroupKind =
  'document' | 'missionConfig' | 'payloadInfo' | 'folder' | 'placemark' | 'actionGroup' | 'action';

interface GroupSpec {
  readonly kind: GroupKind;
  readonly values: ReadonlySet<string>;
}

const DOCUMENT = 'kml/Document';
const FOLDER = `${DOCUMENT}/Folder`;
const PLACEMARK = `${FOLDER}/Placemark`;

const group = (kind: GroupKind, ...values: readonly string[]): GroupSpec => ({ kind, values: new Set(values) });

const ACTION_GROUP = group(
  'actionGroup',
  'actionGroupId',
  'actionGroupStartIndex',
  'actionGroupEndIndex',
  'actionTrigger/actionTriggerType',
);
const ACTION = group('action', 'actionId', 'actionActuatorFunc', 'actionActuatorFuncParam/hoverTime');

/** The elements that we understand, by path; everything else is the vendor's business and passed over. */
const GROUPS: ReadonlyMap<string, GroupSpec> = new Map([
  [DOCUMENT, group('document')],
  [
    `${DOCUMENT}/missionConfig`,
    group(
      'missionConfig',
      'flyToWaylineMode',
      'finishAction',
      'exitOnRCLost',
      'executeRCLostAction',
      'takeOffSecurityHeight',
      'globalTransitionalSpeed',
      'globalRTHHeight',
      'droneInfo/droneEnumValue',
      'droneInfo/droneSubEnumValue',
    ),
  ],
  [`${DOCUMENT}/missionConfig/payloadInfo`, group('payloadInfo', 'payloadEnumValue', 'payloadSubEnumValue')],
  [
    FOLDER,
    group('folder', 'templateType', 'templateId', 'waylineId', 'autoFlightSpeed', 'executeHeightMode', 'duration'),
  ],
  [
    PLACEMARK,
    group(
      'placemark',
      'Point/coordinates',
      'index',
      'executeHeight',
      'waypointSpeed',
      'useGlobalSpeed',
      'waypointTurnParam/waypointTurnMode',
      'waypointTurnParam/waypointTurnDampingDist',
      'waypointHeadingParam/waypointHeadingMode',
      'useGlobalHeadingParam',
    ),
  ],
  [`${FOLDER}/startActionGroup`, ACTION_GROUP],
  [`${FOLDER}/startActionGroup/action`, ACTION],
  [`${PLACEMARK}/actionGroup`, ACTION_GROUP],
  [`${PLACEMARK}/actionGroup/action`, ACTION],
]);

interface Value {
  readonly text: string;
  readonly place: Place;
}

/** One element whose values belong together, e.g. a waypoint. */
export class Group {
  private readonly values = new Map<string, Value>();

  constructor(
    readonly kind: GroupKind,
    readonly path: string,
    readonly place: Place,
    readonly parent: Group | undefined,
    private readonly problems: Problems,
  ) {}

  set(name: string, value: Value): void {
    // Another reader might take the other one of the two, and fly what we did not check.
    if (this.values.has(name)) return this.problems.add(value.place, `occurs twice in <${this.place.element}>`);
    this.values.set(name, value);
  }

  /** The place of a value, or where it should have been. */
  placeOf(name: string): Place {
    const last = name.split('/').at(-1) ?? name;
    const prefix = /^(Point)/.test(name) ? '' : 'wpml:';
    return this.values.get(name)?.place ?? { ...this.place, element: `${prefix}${last}` };
  }

  text(name: string): string | undefined {
    const text = this.values.get(name)?.text;
    return text === '' ? undefined : text;
  }

  required(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined) this.problems.add(this.placeOf(name), `is missing in <${this.place.element}>`);
    return text;
  }

  word<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const text = this.text(name);
    const word = words.find((known) => known === text);
    if (text !== undefined && word === undefined) {
      this.problems.add(this.placeOf(name), `${quote(text)} is not known; known are ${words.join(', ')}`);
    }
    return word;
  }

  requiredWord<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    return this.required(name) === undefined ? undefined : this.word(name, words);
  }

  number(name: string, range: Range): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : readNumber(text, range, this.placeOf(name), this.problems);
  }

  requiredNumber(name: string, range: Range): number | undefined {
    return this.required(name) === undefined ? undefined : this.number(name, range);
  }
}

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  readonly whole?: boolean;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;

export function readNumber(text: string, range: Range, place: Place, problems: Problems): number | undefined {
  const value = text.length <= 40 && NUMBER.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) {
    problems.add(place, `${quote(text)} is not a number`);
    return undefined;
  }
  const { min, max, unit, whole } = range;
  if (whole === true && !Number.isInteger(value)) {
    problems.add(place, `${quote(text)} is not a whole number`);
    return undefined;
  }
  if (value < min || value > max) {
    problems.add(place, `${text} is outside ${min} to ${max}${unit === undefined ? '' : ` ${unit}`}`);
    return undefined;
  }
  return value;
}

/** Gathers elements into groups and hands each on when it ends, innermost first. */
export class GroupReader implements XmlHandler {
  private readonly openGroups: Group[] = [];
  private readonly seen = new Set<string>();

  constructor(
    private readonly file: string,
    private readonly problems: Problems,
    private readonly onOpen: (group: Group) => void,
    private readonly onClose: (group: Group) => void,
  ) {}

  open(element: XmlElement): void {
    const known = GROUPS.get(element.path);
    if (known === undefined) return;
    const group = new Group(known.kind, element.path, this.placeOf(element), this.openGroups.at(-1), this.problems);
    if (known.kind === 'document' || known.kind === 'missionConfig') {
      if (this.seen.has(element.path)) this.problems.stopFile(group.place, 'occurs twice');
      this.seen.add(element.path);
    }
    this.openGroups.push(group);
    this.onOpen(group);
  }

  close(element: XmlElement): void {
    const group = this.openGroups.at(-1);
    if (group === undefined) return;
    if (element.path === group.path) {
      this.openGroups.pop();
      return this.onClose(group);
    }
    const name = element.path.slice(group.path.length + 1);
    if (GROUPS.get(group.path)?.values.has(name) !== true) return;
    const place = this.placeOf(element);
    if (element.hasChildren) return this.problems.add(place, 'must hold a text and no other element');
    group.set(name, { text: element.text.trim(), place });
  }

  private placeOf({ line, name }: XmlElement): Place {
    return { file: this.file, line, element: name };
  }
}
