// A report changes one place of its row: the line that it adds. What follows from the lines that have gathered, i.e. when
// the dock was heard, how far the flight is and how many reports there were, is read from them, and written only when they
// are taken into the track: so the WAL has some fifty bytes of each report instead of three hundred.
import { isDeepStrictEqual } from 'node:util';
import type { Tx } from '@aerie/persistence';
import { forward } from '../dji/reported-progress.js';
import type { FlightLive, KeptLive, LockedMission, MissionRow } from './mission.row.js';
import { linesIn, reportOf, shortIdOf } from './report-lines.js';

interface Reader {
  readonly query: Tx['query'];
}

const COLUMNS = 'mission_id, attempt, heard_at, received_at, reports, recent, progress, gathered, lines';
const COLUMNS_OF_LIVE = COLUMNS.replace(/\w+/g, 'l.$&');

/**
 * What a flight reported last, for a LATERAL join: both numbers only grow, `gathered` until it is added to `reports`. The newest first: a transaction that is held open keeps all versions of the
 * row, and none of those before is looked at.
 */
export const newestLive = (missionId: string): string =>
  `(SELECT ${COLUMNS} FROM mission.flight_live WHERE mission_id = ${missionId} ORDER BY reports DESC, gathered DESC LIMIT 1)`;

/**
 * When a dock spoke last of the flight that its row names, never in the future; null where that flight is none of ours. What
 * is kept here of a flight is not repeated in the row of its dock with each report.
 */
export const namedFlightToldAt = (dock: string): string =>
  `(SELECT greatest(least(received_at, heard_at),
                    CASE WHEN gathered > 0 THEN least(to_timestamp(split_part(lines, ' ', 2)::float8 / 1000), clock_timestamp()) END)
      FROM mission.flight_live
     WHERE mission_id = CASE WHEN ${dock}.flight_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN ${dock}.flight_id::uuid END
     ORDER BY reports DESC, gathered DESC LIMIT 1)`;

const toldAt = (live: FlightLive | null): Date | null =>
  live === null || live.received_at > live.heard_at ? (live?.heard_at ?? null) : live.received_at;

type DockTimes = Pick<LockedMission, 'dock_heard_at' | 'dock_flight_id' | 'dock_flight_at'>;

/** With what the dock said of the flight that it spoke of last: of this one, or of another one at `namedAt`. */
export function withDockHeard<Row extends DockTimes & { readonly id: string; readonly live: FlightLive | null }>(
  row: Row,
  namedAt: Date | null,
): Row {
  const at = row.dock_flight_id === row.id ? toldAt(row.live) : namedAt;
  if (at === null) return row;
  const later = (other: Date | null): Date => (other !== null && other > at ? other : at);
  return Object.assign(row, { dock_heard_at: later(row.dock_heard_at), dock_flight_at: later(row.dock_flight_at) });
}

/**
 * The reports of missions whose rows were locked by an earlier statement. In the statement of the lock they would be
 * those from before a wait for it.
 */
export function readLive(through: Reader, ids: readonly string[]): Promise<FlightLive[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return through
    .query<FlightLiveRow>(
      `SELECT ${COLUMNS_OF_LIVE} FROM unnest($1::uuid[]) AS wanted (id) CROSS JOIN LATERAL ${newestLive('wanted.id')} AS l`,
      [ids],
    )
    .then((rows) => rows.map(liveOf));
}

/** The same of whichever mission flies on a dock. */
export function readLiveOfDock(tx: Tx, dockSn: string): Promise<FlightLive[]> {
  return tx
    .query<FlightLiveRow>(
      `SELECT ${COLUMNS_OF_LIVE} FROM mission.mission m CROSS JOIN LATERAL ${newestLive('m.id')} AS l
        WHERE m.dock_sn = $1 AND m.state IN ('starting', 'executing', 'paused')`,
      [dockSn],
    )
    .then((rows) => rows.map(liveOf));
}

/** As it lies in the table. */
export type FlightLiveRow = Omit<FlightLive, 'kept'>;

/** What is known of a flight by its row, and by the lines that have gathered in it since that was written. */
export function liveOf(row: FlightLiveRow): FlightLive {
  const { heard_at, received_at, reports, progress } = row;
  const kept = { heard_at, received_at, reports, progress };
  return { ...row, ...known(kept, row, Date.now()), kept };
}

function known(kept: KeptLive, { gathered, lines }: Lines, nowMs: number): KeptLive {
  return linesIn(lines)
    .slice(0, gathered)
    .reduceRight((before, line) => withReport(before, line, nowMs), kept);
}

/** With one more report. A line that was counted already changes only the number of them. */
function withReport({ heard_at, received_at, reports, progress }: KeptLive, line: string, nowMs: number): KeptLive {
  const { shortId: _, isStep: __, receivedAtMs, ...numbers } = reportOf(line);
  const said = { ...numbers, reportedAt: new Date(receivedAtMs).toISOString() };
  const isOlder = receivedAtMs < received_at.getTime();
  // The release before lets lines of a clock that is ahead of ours gather.
  const heardAtMs = Math.min(receivedAtMs, nowMs);
  return {
    heard_at: heardAtMs > heard_at.getTime() ? new Date(heardAtMs) : heard_at,
    received_at: isOlder ? received_at : new Date(receivedAtMs),
    reports: reports + 1,
    progress: isOlder ? forward(said, progress) : forward(progress, said),
  };
}

/** What its row may go on to say, where one more line tells all that is new; undefined: it has to be written anew. */
export function keptWith(live: FlightLive | null, line: string, next: KeptLive): KeptLive | undefined {
  if (live?.kept === undefined) return undefined;
  const { heard_at, received_at, reports, progress } = next;
  const told = withReport(live, line, Date.now());
  return isDeepStrictEqual(told, { heard_at, received_at, reports, progress }) ? live.kept : undefined;
}

/** Of what a dock has reported, and what was decided, the later. */
export function withLive<Row extends Pick<LockedMission, 'attempt' | 'heard_at' | 'progress'>>(
  row: Row,
  live: FlightLive | null,
): Row & { readonly live: FlightLive | null } {
  // Most rows have none, and all of them some sixty columns: they were read for this caller, and are not copied.
  if (live === null) return Object.assign(row, { live });
  if (!countsFor(row, live)) return { ...row, live };
  return { ...row, live, heard_at: live.heard_at, progress: live.progress };
}

/** A decision writes what was reported until then into the wide row: what is as old as that adds nothing. */
const countsFor = (row: Pick<LockedMission, 'attempt' | 'heard_at'>, live: FlightLive): boolean =>
  live.attempt === row.attempt && (row.heard_at === null || live.heard_at >= row.heard_at);

export const withLives = <Row extends Pick<LockedMission, 'id' | 'attempt' | 'heard_at' | 'progress'>>(
  rows: readonly Row[],
  lives: readonly FlightLive[],
) => {
  const byMission = new Map(lives.map((live) => [live.mission_id, live]));
  return rows.map((row) => withLive(row, byMission.get(row.id) ?? null));
};

/** The same for screens, where nothing is locked. What has ended holds its last report itself. */
export async function showLive(through: Reader, rows: readonly MissionRow[]): Promise<ShownMission[]> {
  const flying = rows.filter(({ state }) => state === 'executing' || state === 'paused');
  return withLives(
    rows,
    await readLive(
      through,
      flying.map(({ id }) => id),
    ),
  );
}

/** A mission as screens show it. */
export type ShownMission = MissionRow & Pick<LockedMission, 'live'>;

/**
 * What a dock may send once more when its connection comes back is among its last few messages; these reach back a
 * minute.
 */
const RECENT = 32;
/** So many gather before they go into the track: with `RECENT` more a row stays below 2 KB, where it would be split. */
const GATHERED = 24;

/** Whether a message is among the last reports of the flight. */
export function isReported(live: FlightLive | null, messageId: string): boolean {
  if (live === null) return false;
  const shortId = shortIdOf(messageId);
  return live.recent.split(' ').includes(shortId) || linesIn(live.lines).some((line) => line.startsWith(`${shortId} `));
}

type Lines = Pick<FlightLive, 'gathered' | 'lines'>;

/** With one more report in front. A dock may pause and go on without end, so old lines go here too. */
export const withLine = (live: Lines | null, line: string): Lines => ({
  gathered: (live?.gathered ?? 0) + 1,
  lines: [line, ...linesIn(live?.lines ?? '')].slice(0, RECENT + GATHERED).join('\n'),
});

export const isFull = ({ gathered }: Lines): boolean => gathered >= GATHERED;

/**
 * What has gathered, oldest first, and what stays. Old lines go seldom: where the end of the row does not change, it is not
 * written to the WAL. At the end of a flight none goes, since hardly any comes after that.
 */
export function takeGathered(
  live: Lines,
  isLast: boolean,
): { readonly lines: readonly string[]; readonly rest: Lines } {
  const all = linesIn(live.lines);
  return {
    lines: all.slice(0, live.gathered).reverse(),
    rest: { gathered: 0, lines: isLast ? live.lines : all.slice(0, RECENT).join('\n') },
  };
}

const rowOf = ({ kept, ...row }: FlightLive): FlightLiveRow =>
  kept === undefined ? { ...row, reports: row.reports - row.gathered } : { ...row, ...kept };

/**
 * Writes what was reported last of each flight. The missions are locked, so a row stays where it was found: it is the
 * newest that is looked for, and not all versions of it.
 */
export async function saveLive(tx: Tx, lives: readonly FlightLive[]): Promise<void> {
  if (lives.length === 0) return;
  await tx.run(
    `WITH told AS (
       SELECT mission_id, attempt, heard_at, received_at, reports, recent, progress, gathered, lines
         FROM jsonb_to_recordset($1::jsonb) AS n (mission_id uuid, attempt integer, heard_at timestamptz,
                received_at timestamptz, reports integer, recent text, progress jsonb, gathered integer, lines text)
     ), kept AS (
       SELECT l.place FROM told t CROSS JOIN LATERAL (
         SELECT ctid AS place FROM mission.flight_live WHERE mission_id = t.mission_id ORDER BY reports DESC, gathered DESC LIMIT 1) AS l
     ), again AS (
       UPDATE mission.flight_live AS l
          SET attempt = t.attempt, heard_at = t.heard_at, received_at = t.received_at, reports = t.reports,
              progress = t.progress, gathered = t.gathered, lines = t.lines
         FROM told t WHERE l.ctid = ANY(ARRAY(SELECT place FROM kept)) AND l.mission_id = t.mission_id
         RETURNING l.mission_id
     )
     INSERT INTO mission.flight_live
       (mission_id, attempt, heard_at, received_at, reports, recent, progress, gathered, lines)
     SELECT mission_id, attempt, heard_at, received_at, reports, recent, progress, gathered, lines
       FROM told WHERE mission_id NOT IN (SELECT mission_id FROM again)`,
    [JSON.stringify(lives.map(rowOf))],
  );
}
