import { Metrics } from '@aerie/observability';
import { DockBudget } from './dock-budget.js';

const SECOND_MS = 1_000;
const KIBIBYTE = 1_024;
const SAVED_SECONDS = 60;

let budget: DockBudget;
let notes: string[];
let floods: string[];
let metrics: Metrics;
let nowMs: number;
beforeEach(() => {
  nowMs = Date.UTC(2030, 0, 1);
  notes = [];
  metrics = new Metrics(`budget-${Math.random()}`);
  const note = (sn: string, code: string, _atMs: number, detail: string | null = null): void =>
    void notes.push(`${sn} ${code} ${detail}`);
  floods = [];
  const noteFlood = (sn: string, bytes: number, isOver: boolean): void => void floods.push(`${sn} ${bytes} ${isOver}`);
  budget = new DockBudget(
    { messagesPerSecond: 10, bytesPerSecond: 100 * KIBIBYTE },
    { note },
    { note: noteFlood },
    metrics,
  );
});

/** How many of so many messages are taken at this instant. */
function taken(count: number, channel: string, { sn = 'DOCK-1', bytes = 100, method = 'hms' } = {}): number {
  const root = channel === 'status' ? 'sys' : 'thing';
  const text = JSON.stringify({ method, data: { text: '' } });
  const payload = Buffer.from(text.padEnd(bytes, ' '));
  return Array.from({ length: count }).filter(() => budget.admits(`${root}/product/${sn}/${channel}`, payload, nowMs))
    .length;
}

describe('the budget of a device', () => {
  it('takes a minute of it at once, as after an outage, and then as much as it refills', () => {
    expect(taken(1_000, 'events')).toBe(10 * SAVED_SECONDS);
    nowMs += 3 * SECOND_MS;
    expect(taken(1_000, 'events')).toBe(30);
  });

  it('counts bytes as well as messages', () => {
    expect(taken(1_000, 'events', { bytes: 100 * KIBIBYTE })).toBe(SAVED_SECONDS);
    nowMs += 2 * SECOND_MS;
    expect(taken(1_000, 'events', { bytes: 100 * KIBIBYTE })).toBe(2);
  });

  it('leaves telemetry out first: half of it is kept for all else', () => {
    expect(taken(1_000, 'osd')).toBe(5 * SAVED_SECONDS);
    expect(taken(1_000, 'state')).toBe(5 * SAVED_SECONDS);
  });

  it.each([
    ['services_reply', 'fileupload_list'],
    ['property/set_reply', 'irrelevant'],
    ['status', 'update_topo'],
    ['events', 'flighttask_progress'],
    ['events', 'flighttask_ready'],
    ['requests', 'flighttask_resource_get'],
  ])('never leaves %s %s out, however much of it there is', (channel, method) => {
    taken(1_000, 'events');
    expect(taken(5_000, channel, { method })).toBe(5_000);
  });

  it('is not used up by what is vital: that has a share of its own', () => {
    taken(5_000, 'services_reply');
    expect(taken(1_000, 'events')).toBe(10 * SAVED_SECONDS);
  });

  it('is its own: what one sends costs no other anything', () => {
    taken(5_000, 'events', { sn: 'FLOOD' });
    expect(taken(10, 'events', { sn: 'QUIET' })).toBe(10);
  });

  it('does not grow when the clock goes back', () => {
    taken(1_000, 'events');
    nowMs -= 60 * SECOND_MS;
    expect(taken(10, 'events')).toBe(0);
  });

  it('says on the dock and in a metric what was left out', async () => {
    taken(10 * SAVED_SECONDS + 2, 'events');
    expect(notes).toEqual(['DOCK-1 over_budget other', 'DOCK-1 over_budget other']);
    expect(await metrics.registry.getSingleMetricAsString('ingress_left_out_total')).toMatch(/weight="other".* 2$/m);
  });
});

it('each message is counted for who floods, with whether it was over the budget; also what is taken all the same', () => {
  taken(10 * SAVED_SECONDS + 1, 'events');
  taken(10 * SAVED_SECONDS + 1, 'services_reply');
  const over = (sent: readonly string[]) => sent.filter((text) => text === 'DOCK-1 100 true').length;
  expect([floods.length, over(floods)]).toEqual([2 * (10 * SAVED_SECONDS + 1), 2]);
});
