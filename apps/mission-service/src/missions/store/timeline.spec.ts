import { type SentCall, withSentCalls } from './timeline.js';

const at = (ms: number) => new Date(ms);
const entry = (ms: number, kind: 'decision' | 'message_out' | 'message_in', detail = {}) => ({
  ...{ at: at(ms), kind, what: 'irrelevant', from_state: null, to_state: null, revision: null, detail },
});
const call = (tid: string, given: Partial<SentCall> = {}): SentCall => ({
  ...{ tid, method: 'flighttask_execute', send_outcome: 'written', send_reason: null, sent_at: at(15) },
  ...given,
});

it('shows a command that was written between the entries before and after it', () => {
  const shown = withSentCalls(
    [entry(10, 'decision'), entry(20, 'message_in')],
    [call('b'), call('a', { sent_at: at(5) })],
  );
  expect(shown.map((one) => [one.at.getTime(), one.kind, one.detail['tid']])).toEqual([
    [5, 'message_out', 'a'],
    [10, 'decision', undefined],
    [15, 'message_out', 'b'],
    [20, 'message_in', undefined],
  ]);
  expect(shown[2]).toMatchObject({
    what: 'flighttask_execute',
    detail: { tid: 'b', outcome: 'written', reason: null },
  });
});

it.each([
  ['has an entry of its own', call('told')],
  ['is on its way', call('a', { send_outcome: null, sent_at: null })],
  ['was refused, which its entry tells', call('a', { send_outcome: 'refused' })],
  ['is an undo, which may be sent several times under one id', call('a', { method: 'flighttask_undo' })],
])('adds nothing for a command that %s', (_what, sent) => {
  const entries = [entry(10, 'decision'), entry(12, 'message_out', { tid: 'told' })];
  expect(withSentCalls(entries, [sent])).toEqual(entries);
});
