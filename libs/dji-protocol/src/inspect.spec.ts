import fc from 'fast-check';
import { CREATE_1_1 } from './fixtures/cloud-api-1.1-create.js';
import { PROGRESS_1_1 } from './fixtures/cloud-api-1.1-progress.js';
import { LOG_1_2 } from './fixtures/cloud-api-1.2-log.js';
import { WAYLINE_1_2 } from './fixtures/cloud-api-1.2-wayline.js';
import { WAYLINE_1_3_0 } from './fixtures/cloud-api-1.3.0-wayline.js';
import { inspectLine } from './inspect.js';

const topic = 'thing/product/{gateway_sn}/events';
const payload = {
  tid: 't',
  bid: 'b',
  timestamp: 1654070968655,
  need_reply: 1,
  method: 'flighttask_progress',
  data: { output: { status: 'sent' } },
};
const VERDICT = {
  accepted: true,
  channel: 'events',
  direction: 'up',
  sn: '{gateway_sn}',
  method: 'flighttask_progress',
  tid: 't',
  bid: 'b',
  timestampMs: 1654070968655,
  needReply: true,
  data: { result: 0, output: { status: 'sent', progress: {}, ext: {} } },
};

describe('inspectLine', () => {
  it.each([
    ['an object', payload],
    ['a text', JSON.stringify(payload)],
  ])('reads a payload that is %s', (_kind, given) => {
    expect(inspectLine(JSON.stringify({ topic, payload: given }))).toEqual(VERDICT);
  });

  it('prints its members in a fixed order', () => {
    expect(Object.keys(inspectLine(JSON.stringify({ topic, payload })))).toEqual(Object.keys(VERDICT));
  });

  it.each([...PROGRESS_1_1, ...CREATE_1_1, ...WAYLINE_1_2, ...WAYLINE_1_3_0, ...LOG_1_2])(
    'accepts the printed example on $topic (E14)',
    ({ topic: printed, message }) => {
      expect(inspectLine(JSON.stringify({ topic: printed, payload: message }))).toMatchObject({ accepted: true });
    },
  );

  it.each([
    ['line is not JSON', ''],
    ['line is not JSON', '{"topic":'],
    ['line: expected a JSON object', '[]'],
    ['line: expected a JSON object', '7'],
    ['topic is missing', '{"payload":{}}'],
    ['topic: expected a string', '{"topic":7,"payload":{}}'],
    ['payload is missing', JSON.stringify({ topic })],
    ['payload: expected a JSON object', JSON.stringify({ topic, payload: [] })],
    ['payload: expected a JSON object', JSON.stringify({ topic, payload: 7 })],
    ['payload is not JSON', JSON.stringify({ topic, payload: 'x' })],
    ['payload is not JSON', JSON.stringify({ topic, payload: '' })],
    ['payload contains the NUL character', JSON.stringify({ topic, payload: { ...payload, tid: '\u0000' } })],
    ['method is missing on events', JSON.stringify({ topic, payload: {} })],
    ['data.output: expected an object', JSON.stringify({ topic, payload: { method: 'flighttask_progress' } })],
  ])('says "%s" of %s', (reason, line) => {
    expect(inspectLine(line)).toEqual({ accepted: false, reason });
  });

  it.each(['a.b', '*', ''])('refuses the method %j', (method) => {
    expect(inspectLine(JSON.stringify({ topic, payload: { ...payload, method } }))).toEqual({
      accepted: false,
      reason: expect.stringContaining(`method ${JSON.stringify(method)} is not`),
    });
  });

  it.each([100, 200_000])('refuses a payload of %i levels without losing its own stack', (depth) => {
    const line = `{"topic":"${topic}","payload":${'{"a":'.repeat(depth)}1${'}'.repeat(depth + 1)}`;
    expect(inspectLine(line)).toMatchObject({ accepted: false });
  });

  it('never throws on any line', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => 'accepted' in inspectLine(line)));
  });
});
