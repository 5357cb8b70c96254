import { InvalidError } from '@aerie/kernel';
import { encodeReply, encodeService } from '../encode.js';
import { accepted, aMessage, dataOf, FLIGHT_ID, reasonFor, RECEIVED_AT_MS } from '../fixtures/messages.js';

const LEAPFROG_MODELS = ['dock2', 'dock3'] as const;

describe('flighttask_stop', () => {
  it.each([0, 1])('is written with the flight and the reason %i', (reason) => {
    const data = { flight_id: FLIGHT_ID, reason };
    expect(encodeService('flighttask_stop', data, { model: 'dock2' })).toEqual(data);
  });

  it.each([{ flight_id: FLIGHT_ID, reason: 2 }, { flight_id: FLIGHT_ID }, { flight_id: '', reason: 0 }])(
    'is not written as %j',
    (data) => {
      expect(() => encodeService('flighttask_stop', data as never, { model: 'dock3' })).toThrow(InvalidError);
    },
  );

  it('reads a reason that is digits (E18)', () => {
    const data = dataOf('services', 'flighttask_stop', { flight_id: FLIGHT_ID, reason: '1' });
    expect(data).toEqual({ flight_id: FLIGHT_ID, reason: 1 });
  });

  it('is refused without its flight', () => {
    expect(reasonFor('services', 'flighttask_stop', { reason: 0 })).toBe('data.flight_id: expected a string');
  });
});

describe('return_specific_home', () => {
  it.each(LEAPFROG_MODELS)('is written with the dock to land on for %s', (model) => {
    const data = { home_dock_sn: '4TADL210020012' };
    expect(encodeService('return_specific_home', data, { model })).toEqual(data);
  });

  it.each(['', 'a/b', '+', '{gateway_sn}'])('is not written with %j, which is no serial number', (home_dock_sn) => {
    expect(() => encodeService('return_specific_home', { home_dock_sn }, { model: 'dock2' })).toThrow(InvalidError);
  });

  it('is refused without the dock', () => {
    expect(reasonFor('services', 'return_specific_home', {})).toBe('data.home_dock_sn: expected a string');
  });
});

describe.each(['flighttask_stop', 'return_specific_home'] as const)('%s', (method) => {
  it.each(LEAPFROG_MODELS)('does not exist before 1.11 for %s', (model) => {
    const data = { flight_id: FLIGHT_ID, reason: 0, home_dock_sn: 'A' };
    expect(() => encodeService(method, data, { model, generation: '1.8' })).toThrow(InvalidError);
  });
});

describe('flighttask_progress_get', () => {
  it.each([
    ['Dock 2', { target_sn: 'OTHER', flight_id: FLIGHT_ID }, { sn: 'OTHER', flight_id: FLIGHT_ID }],
    ['Dock 3', { sn: 'OTHER' }, { sn: 'OTHER' }],
    ['a dock without a flight', { target_sn: 'OTHER', flight_id: '' }, { sn: 'OTHER' }],
    ['a dock that sends null for none', { sn: 'OTHER', flight_id: null }, { sn: 'OTHER' }],
  ])('reads the question of %s (M20)', (_who, sent, read) => {
    expect(dataOf('requests', 'flighttask_progress_get', sent)).toEqual(read);
  });

  it('is refused when it names no dock', () => {
    expect(reasonFor('requests', 'flighttask_progress_get', {})).toBe('data.sn: expected a string');
  });

  const output = { flight_id: FLIGHT_ID, progress: { current_step: 25, percent: 90 }, status: 'in_progress' };

  it('is answered with the last progress of the other dock', () => {
    const reply = { result: 0, output };
    expect(encodeReply('requests_reply', 'flighttask_progress_get', reply)).toEqual(reply);
  });

  it('is answered with what the other dock said, undocumented words and missing numbers included', () => {
    const reply = { result: 0, output: { flight_id: FLIGHT_ID, progress: {}, status: 'some_new_word' } };
    expect(encodeReply('requests_reply', 'flighttask_progress_get', reply)).toEqual(reply);
  });

  it('is answered without output when the flight is unknown', () => {
    expect(encodeReply('requests_reply', 'flighttask_progress_get', { result: 319003 })).toEqual({ result: 319003 });
  });

  it('is not answered with a success that tells nothing', () => {
    expect(() => encodeReply('requests_reply', 'flighttask_progress_get', { result: 0 })).toThrow(InvalidError);
  });

  it('reads an answer that forgets the output level (E12)', () => {
    expect(dataOf('requests_reply', 'flighttask_progress_get', { result: 0, ...output })).toEqual({
      result: 0,
      output,
    });
  });

  it('reads an answer whose timestamp is printed as 0 (E3)', () => {
    const reply = { method: 'flighttask_progress_get', timestamp: 0, data: { result: '0', output } };
    const message = accepted(aMessage('requests_reply', reply));
    expect(message).toMatchObject({ timestampMs: RECEIVED_AT_MS, data: { result: 0, output } });
  });
});
