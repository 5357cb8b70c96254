import { missionStateName } from '@aerie/bus-contract';
import { STATES } from '@aerie/mission-core';

it('tells others of states under the names that missions have', () => {
  expect(missionStateName.options).toEqual(STATES);
});
