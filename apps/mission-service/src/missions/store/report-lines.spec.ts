import { lineOf, reportOf } from './report-lines.js';

it.each([
  ['the usual word', 'in_progress', 'in_progress'],
  ['one with spaces and new lines', 'going on * -\n', 'going on * -\n'],
  ['half a character, of which only that is left out', 'gone \ud83d', 'gone \ufffd'],
])('keeps the word of a dock in one line: %s', (_what, status, kept) => {
  const progress = { status, percent: 12.5, currentStep: null, waypointIndex: 0, mediaCount: null, reportedAt: '' };
  const line = lineOf({ messageId: 'one', receivedAtMs: 1_795_988_563_385, progress }, true);
  expect(line).not.toContain('\n');
  const { status: read, percent, currentStep, waypointIndex, isStep, receivedAtMs } = reportOf(line);
  expect({ read, percent, currentStep, waypointIndex, isStep, receivedAtMs }).toEqual({
    ...{ read: kept, percent: 12.5, currentStep: null, waypointIndex: 0, isStep: true },
    receivedAtMs: 1_795_988_563_385,
  });
});
