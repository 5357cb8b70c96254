import type { Meter } from '../cost/meter.js';

/** Docks that flew them: those that fly now, and others. */
const DOCKS = 500;

/**
 * Puts missions that have ended into the database, with all that they leave behind, as if docks had flown them over the
 * last five days: nothing of it is old enough to be deleted. The docks that fly now have flown their share of them.
 */
export async function putEndedMissions(meter: Meter, count: number): Promise<void> {
  if (count === 0) return;
  const run = (sql: string) => meter.query(sql);
  await run(`
    INSERT INTO mission.dock (sn, organisation_id, model, protocol_generation)
    SELECT 'ENDED-' || n, (SELECT organisation_id FROM mission.dock LIMIT 1), 'dock2', '1.15'
      FROM generate_series(1, ${DOCKS} - (SELECT count(*) FROM mission.dock)::int) AS n;
    CREATE TEMP TABLE ended AS
      SELECT gen_random_uuid() AS id, n, d.sn, d.organisation_id,
             now() - interval '5 days' + interval '1 hour' + n * (interval '4 days' / ${count}) AS at,
             (SELECT id FROM mission.wayline LIMIT 1) AS wayline_id
        FROM generate_series(1, ${count}) AS n
        JOIN (SELECT sn, organisation_id, row_number() OVER (ORDER BY sn) - 1 AS place FROM mission.dock) AS d
          ON d.place = n % ${DOCKS}`);
  await run(`
    INSERT INTO mission.mission (id, organisation_id, dock_sn, wayline_id, name, kind, state, revision, execute_at,
       prepare_at, deadline, prepare_count, attempt, undo_count, since, started_at, flown_at, heard_at, next_action_at,
       rth_altitude_meters, exit_on_rc_lost, positioning, created_by, created_at, updated_at, progress,
       prepared_fingerprint)
    SELECT id, organisation_id, sn, wayline_id, 'ended ' || n, 'timed',
           (ARRAY['succeeded', 'succeeded', 'succeeded', 'partially_done', 'failed'])[1 + n % 5], 6, at,
           at, at + interval '20 s', 1, 1, 0, at + interval '10 min', at, at, at + interval '10 min', NULL,
           60, 'continue', 'gps', 'bench', at - interval '1 hour', at + interval '10 min',
           '{"status": "ok", "percent": 100, "currentStep": 25, "waypointIndex": 12, "mediaCount": 30, "reportedAt": null}',
           md5(n::text)
      FROM ended`);
  await run(`
    INSERT INTO mission.timeline (mission_id, at, kind, what, from_state, to_state, revision, detail)
    SELECT id, at + step * interval '30 s', (ARRAY['decision', 'message_in', 'message_out'])[1 + step % 3],
           (ARRAY['startAccepted', 'flighttask_progress', 'flighttask_prepare'])[1 + step % 3],
           'prepared', 'executing', step, jsonb_build_object('method', 'flighttask_progress', 'percent', step * 8, 'effects', '[]'::jsonb,
             'nextActionAtMs', extract(epoch FROM at) * 1000)
      FROM ended, generate_series(1, 12) AS step`);
  await run(`
    INSERT INTO mission.dock_call (tid, mission_id, dock_sn, method, attempt, edition, claimed_at, not_after, send_outcome,
       sent_at, reply_result, reply_at, send_count)
    SELECT gen_random_uuid(), id, sn, method, attempt, 1, at, at + interval '20 s', 'written', at, 0, at, 1
      FROM ended, (VALUES ('flighttask_prepare', 0), ('flighttask_execute', 1), ('flighttask_undo', 0)) AS c (method, attempt)`);
  await run(`
    INSERT INTO mission.preflight (mission_id, stage, at, verdict, rules)
    SELECT id, stage, at, 'go', '[{"rule": "dock_online", "verdict": "go"}, {"rule": "battery", "verdict": "go"}]'
      FROM ended, unnest(ARRAY['plan', 'prepare', 'execute']) AS stage`);
  await run(`
    INSERT INTO mission.inbox (sn, method, message_id, received_at)
    SELECT sn, 'events/flighttask_progress', gen_random_uuid()::text, at FROM ended, generate_series(1, 4)`);
  await run(`
    INSERT INTO mission.outbox (subject, payload, created_at, not_before, attempts, done_at)
    SELECT 'mission.v1.' || organisation_id || '.changed',
           jsonb_build_object('missionId', id, 'dockSn', sn, 'state', 'executing', 'version', step, 'at', at,
             'waylineId', wayline_id, 'name', 'ended ' || n, 'progress', null), at, at, 1, at
      FROM ended, generate_series(1, 5) AS step`);
  // Three pieces of the track, of two dozen reports each.
  await run(`
    INSERT INTO mission.flight_track (mission_id, attempt, recorded_at, received_at, status, percent, current_step,
       waypoint_index, media_count, reports)
    SELECT id, 1, at + piece * interval '48 s', at + piece * interval '48 s', 'in_progress', piece * 30, 24, piece, piece,
           (SELECT string_agg(format('jHs8k- %s - %s 24 %s 1', (extract(epoch FROM at) * 1000)::bigint + line * 2000, piece * 30, piece), E'\\n')
              FROM generate_series(1, 24) AS line)
      FROM ended, generate_series(1, 3) AS piece`);
  await run(`
    INSERT INTO mission.flight_live (mission_id, attempt, heard_at, received_at, reports, recent, progress, gathered, lines)
    SELECT id, 1, at, at, 72, '', '{"status": "in_progress", "percent": 99, "currentStep": 24}', 0,
           (SELECT string_agg(format('jHs8k- %s - 90 24 3 1', (extract(epoch FROM at) * 1000)::bigint + line * 2000), E'\\n')
              FROM generate_series(1, 32) AS line)
      FROM ended`);
  // A mission that has ended gives its dock back; these are of the few that never did.
  await run(`
    INSERT INTO mission.dock_reservation (dock_sn, during, holder_kind, holder_id)
    SELECT sn, tstzrange(at, at + interval '1 min'), 'mission', id FROM ended WHERE n % 100 = 0`);
  await run(`
    INSERT INTO mission.idempotency_key (organisation_id, route, key, request_hash, status, body, created_at)
    SELECT organisation_id, 'POST /missions', id::text, md5(id::text) || md5(sn), 201,
           jsonb_build_object('id', id, 'dockSn', sn, 'state', 'scheduled', 'waylineId', wayline_id)::text, at
      FROM ended`);
  await run('DROP TABLE ended');
  // Loaded a moment ago: the first to read a page would write into it that its rows are there.
  await run('VACUUM (ANALYZE)');
}
