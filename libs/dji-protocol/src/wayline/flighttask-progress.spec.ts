import { dataOf, progressWith, reasonFor } from '../fixtures/messages.js';
import { FLIGHTTASK_STATUSES, isTerminalStatus } from './flighttask-status.js';

const status = 'in_progress';
const stepOf = (current_step: unknown) => progressWith({ status, progress: { current_step } })['progress'];
const extOf = (ext: object, word = status) => progressWith({ status: word, ext })['ext'];
const breakPoint = { index: 1, state: 0, progress: 0.25, wayline_id: 0, break_reason: 1281 };

describe('flighttask_progress', () => {
  it.each([1, 19, 27, 36, 49, 65533, 65534, 65535, 123456])('takes step %i, documented or not (M1, M2)', (step) => {
    expect(stepOf(step)).toEqual({ current_step: step });
  });

  it.each([...FLIGHTTASK_STATUSES, 'some_new_word'])('takes the status %s (M3)', (word) => {
    expect(progressWith({ status: word })['status']).toBe(word);
  });

  it.each(['ok', 'partially_done', 'canceled', 'rejected', 'failed', 'timeout'])('counts %s as an end', (word) => {
    expect(isTerminalStatus(word)).toBe(true);
  });

  it.each(['sent', 'in_progress', 'paused', 'some_new_word'])('does not count %s as an end', (word) => {
    expect(isTerminalStatus(word)).toBe(false);
  });

  it.each([
    ['a-track', 'a-track'],
    ['', ''],
    [17, '17'],
  ])('takes the track id %j as opaque text (M4)', (track_id, text) => {
    expect(extOf({ track_id })).toEqual({ track_id: text });
  });

  it('keeps the media count of a flight that goes on, though it means nothing yet (M5)', () => {
    expect(extOf({ media_count: 3 })).toEqual({ media_count: 3 });
  });

  it('drops the breakpoint of a success (M15)', () => {
    expect(extOf({ break_point: breakPoint, media_count: 6 }, 'ok')).toEqual({ media_count: 6 });
  });

  it('keeps the breakpoint of a pause (M15)', () => {
    expect(extOf({ break_point: breakPoint }, 'paused')).toEqual({ break_point: breakPoint });
  });

  it('takes a flight without breakpoint (M15)', () => {
    expect(extOf({ wayline_id: 0 }, 'failed')).toEqual({ wayline_id: 0 });
  });

  it('reports wayline state 9 of a flight that goes on, without an end (M16)', () => {
    expect(progressWith({ status, ext: { wayline_mission_state: 9 } })).toMatchObject({
      status: 'in_progress',
      ext: { wayline_mission_state: 9 },
    });
  });

  it.each([65535, '65535', 0xfffff])('takes wayline %j for none (M17, M19)', (wayline_id) => {
    expect(extOf({ wayline_id })).toEqual({ wayline_id: null });
  });

  it('takes last point type 65535 for none (M17)', () => {
    const points = [{ latitude: 1 }];
    expect(extOf({ transition_wayline_info: { last_point_type: 65535, planned_path_points: points } })).toEqual({
      transition_wayline_info: { last_point_type: null, planned_path_points: points },
    });
  });

  it('takes the wayline 65535 of a breakpoint for none (M17)', () => {
    expect(extOf({ break_point: { ...breakPoint, wayline_id: 65535 } })).toEqual({
      break_point: { ...breakPoint, wayline_id: null },
    });
  });

  it('keeps a return by the user as the failure it is on the wire (M18)', () => {
    const data = dataOf('events', 'flighttask_progress', { result: 322283, output: { status: 'failed' } });
    expect(data).toMatchObject({ result: 322283, output: { status: 'failed' } });
  });

  it('reads the misprint 0xFFFFF as the unknown step 65535 (M19)', () => {
    expect(stepOf(0xfffff)).toEqual({ current_step: 65535 });
  });

  it('keeps a percentage that sticks at 90 beside the waypoint that tells more (M28)', () => {
    const output = { status, progress: { percent: 90 }, ext: { current_waypoint_index: 4 } };
    expect(progressWith(output)).toEqual(output);
  });

  it('moves members under output where a table forgets that level (E12)', () => {
    const data = dataOf('events', 'flighttask_progress', { status, progress: { percent: 1 }, ext: { media_count: 0 } });
    expect(data).toEqual({ result: 0, output: { status, progress: { percent: 1 }, ext: { media_count: 0 } } });
  });

  it('reads digits as numbers (E18)', () => {
    const data = dataOf('events', 'flighttask_progress', {
      result: '0',
      output: { status, progress: { current_step: '21', percent: '90' } },
    });
    expect(data).toMatchObject({ result: 0, output: { progress: { current_step: 21, percent: 90 } } });
  });

  it('keeps members that nobody documents, on every level (E17)', () => {
    const data = {
      result: 0,
      new_a: 1,
      output: { status, new_b: 2, progress: { new_c: 3 }, ext: { new_d: 4, break_point: { new_e: null } } },
    };
    expect(dataOf('events', 'flighttask_progress', data)).toEqual(data);
  });

  it('takes a member that is null for missing', () => {
    expect(extOf({ media_count: null, break_point: null })).toEqual({});
  });

  it('drops an empty flight id, which would hide the bid', () => {
    expect(extOf({ flight_id: '' })).toEqual({});
  });

  it.each([
    ['data.output: expected an object', { result: 0 }],
    ['data.output: expected an object', { output: 'x' }],
    ['data.output.status: expected a string', { output: { progress: { percent: 1 } } }],
    ['data.output.status: must not be empty', { output: { status: '' } }],
    ['data.output.progress.percent: expected a number', { output: { status, progress: { percent: 'abc' } } }],
    ['data.output.progress.current_step: expected an integer', { output: { status, progress: { current_step: 1.5 } } }],
    [
      'data.output.ext.break_point.index: expected a number',
      { output: { status, ext: { break_point: { index: [] } } } },
    ],
    ['data.result: expected a number', { result: 'bad', output: { status } }],
  ])('refuses with the reason "%s"', (reason, data) => {
    expect(reasonFor('events', 'flighttask_progress', data)).toBe(reason);
  });
});
