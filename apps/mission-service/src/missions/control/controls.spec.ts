import { STATES, transitions } from '@aerie/mission-core';
import { CONTROL_ACTIONS, CONTROLS } from './controls.js';

it.each(CONTROL_ACTIONS)('offers %s exactly where the table of the lifecycle lets it through', (action) => {
  const { event, when, effect } = CONTROLS[action];
  const rows = transitions[event];
  expect(STATES.filter((state) => rows.some(({ from }) => from.includes(state)))).toEqual([...when]);
  expect(rows.flatMap(({ effects }) => effects ?? [])).toEqual([effect]);
});
