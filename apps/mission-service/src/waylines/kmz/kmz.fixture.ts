import { ZipFile } from 'yazl';

/** Builders of route files for specs: a good one, and every way to spoil it. */
export interface KmzParts {
  readonly template?: string | null;
  readonly waylines?: string | null;
  readonly more?: Readonly<Record<string, Buffer | string>>;
  readonly compress?: boolean;
}

export async function aKmz({ template, waylines, more = {}, compress = true }: KmzParts = {}): Promise<Buffer> {
  const files: Record<string, Buffer | string> = { ...more };
  if (template !== null) files['wpmz/template.kml'] = template ?? aTemplate();
  if (waylines !== null) files['wpmz/waylines.wpml'] = waylines ?? aWaylines();
  return zipOf(files, compress);
}

export async function zipOf(
  files: Readonly<Record<string, Buffer | string>>,
  compress = true,
  forceZip64Format = false,
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content), name, { compress, forceZip64Format });
  zip.end({ forceZip64Format, comment: '' });
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export interface ConfigParts {
  readonly flyToWaylineMode?: string;
  readonly finishAction?: string;
  readonly exitOnRCLost?: string;
  readonly executeRCLostAction?: string;
  readonly takeOffSecurityHeight?: string;
  readonly globalTransitionalSpeed?: string;
  readonly globalRTHHeight?: string;
}

/** A route that was made for this aircraft, e.g. `91-1`. Without a subtype the file names none. */
export function aKmzFor(aircraft: string, camera: number): Promise<Buffer> {
  const [type, subType] = aircraft.split('-');
  const made = (file: string): string =>
    file
      .replace('<wpml:droneEnumValue>91<', `<wpml:droneEnumValue>${type}<`)
      .replace(
        '<wpml:droneSubEnumValue>1</wpml:droneSubEnumValue>',
        subType === undefined ? '' : `<wpml:droneSubEnumValue>${subType}</wpml:droneSubEnumValue>`,
      )
      .replace('<wpml:payloadEnumValue>81<', `<wpml:payloadEnumValue>${camera}<`);
  return aKmz({ template: made(aTemplate()), waylines: made(aWaylines()) });
}

export function aConfig(parts: ConfigParts = {}): string {
  const values = {
    flyToWaylineMode: 'safely',
    finishAction: 'goHome',
    exitOnRCLost: 'executeLostAction',
    executeRCLostAction: 'goBack',
    takeOffSecurityHeight: '20',
    globalTransitionalSpeed: '10',
    globalRTHHeight: '100',
    ...parts,
  };
  const elements = Object.entries(values).filter(([, text]) => text !== '');
  return `<wpml:missionConfig>
${elements.map(([name, text]) => `<wpml:${name}>${text}</wpml:${name}>`).join('\n')}
<wpml:droneInfo><wpml:droneEnumValue>91</wpml:droneEnumValue><wpml:droneSubEnumValue>1</wpml:droneSubEnumValue></wpml:droneInfo>
<wpml:payloadInfo><wpml:payloadEnumValue>81</wpml:payloadEnumValue><wpml:payloadPositionIndex>0</wpml:payloadPositionIndex></wpml:payloadInfo>
</wpml:missionConfig>`;
}

export interface PointParts {
  readonly index?: string;
  readonly coordinates?: string;
  readonly height?: string;
  readonly speed?: string;
  readonly turnMode?: string;
  /** Empty: the waypoint has none. */
  readonly headingMode?: string;
  readonly more?: string;
}

export function aPoint(position: number, parts: PointParts = {}): string {
  const { index = String(position), coordinates = `8.5,${(47.3 + position / 1000).toFixed(6)}`, height = '80' } = parts;
  const { speed = '5', turnMode = 'toPointAndStopWithDiscontinuityCurvature', more = '' } = parts;
  const { headingMode = 'followWayline' } = parts;
  const heading = `<wpml:waypointHeadingParam><wpml:waypointHeadingMode>${headingMode}</wpml:waypointHeadingMode></wpml:waypointHeadingParam>`;
  return `<Placemark>
<Point><coordinates>${coordinates}</coordinates></Point>
<wpml:index>${index}</wpml:index>
<wpml:executeHeight>${height}</wpml:executeHeight>
<wpml:waypointSpeed>${speed}</wpml:waypointSpeed>
<wpml:waypointTurnParam><wpml:waypointTurnMode>${turnMode}</wpml:waypointTurnMode></wpml:waypointTurnParam>
${headingMode === '' ? '' : heading}${more}</Placemark>`;
}

export interface FolderParts {
  readonly waylineId?: string;
  readonly templateId?: string;
  readonly heightMode?: string;
  readonly speed?: string;
  readonly points?: readonly string[];
  readonly more?: string;
}

export function aFolder(parts: FolderParts = {}): string {
  const { waylineId = '0', templateId = '0', heightMode = 'relativeToStartPoint', speed = '6', more = '' } = parts;
  const { points = [aPoint(0), aPoint(1), aPoint(2)] } = parts;
  return `<Folder>
<wpml:templateId>${templateId}</wpml:templateId>
<wpml:executeHeightMode>${heightMode}</wpml:executeHeightMode>
<wpml:waylineId>${waylineId}</wpml:waylineId>
<wpml:autoFlightSpeed>${speed}</wpml:autoFlightSpeed>
${more}${points.join('\n')}
</Folder>`;
}

export const NAMESPACES = 'xmlns="http://www.opengis.net/kml/2.2" xmlns:wpml="http://www.dji.com/wpmz/1.0.6"';

export function aWaylines(config = aConfig(), folders: readonly string[] = [aFolder()]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<kml ${NAMESPACES}>
<Document>
${config}
${folders.join('\n')}
</Document>
</kml>
`;
}

export function aTemplate(config = aConfig(), templateType = 'waypoint'): string {
  return aWaylines(config, [
    `<Folder><wpml:templateType>${templateType}</wpml:templateType><wpml:templateId>0</wpml:templateId></Folder>`,
  ]);
}

/** The line, from 1, on which a text first stands. */
export function lineOf(file: string, text: string): number {
  return file.slice(0, file.indexOf(text)).split('\n').length;
}

/** Replaces bytes by others of the same length, wherever they stand. */
export function patched(zip: Buffer, from: string | Buffer, to: string | Buffer): Buffer {
  const [old, fresh] = [Buffer.from(from), Buffer.from(to)];
  if (old.length !== fresh.length) throw new Error('a patch must not move other bytes');
  const copy = Buffer.from(zip);
  for (let at = copy.indexOf(old); at >= 0; at = copy.indexOf(old, at + old.length)) fresh.copy(copy, at);
  return copy;
}

/** Changes the headers of one entry: the local one and the one in the directory. */
export function withHeaders(
  zip: Buffer,
  name: string,
  change: (header: Buffer, kind: 'local' | 'central') => void,
): Buffer {
  const copy = Buffer.from(zip);
  const changeAll = (signature: string, nameAt: number, kind: 'local' | 'central'): void => {
    for (let at = copy.indexOf(signature, 0, 'latin1'); at >= 0; at = copy.indexOf(signature, at + 4, 'latin1')) {
      const length = Buffer.byteLength(name);
      if (copy.subarray(at + nameAt, at + nameAt + length).toString() === name) change(copy.subarray(at), kind);
    }
  };
  changeAll('PK\x03\x04', 30, 'local');
  changeAll('PK\x01\x02', 46, 'central');
  return copy;
}
