import { traceOfCommand, traceOfMission } from './traces.js';

const MISSION = '0b5e3c1a-9d1f-4c70-8e57-2f0a6f6f2c11';
const TID = 'd9428888-122b-41e1-b85c-61cd3cbb3210';

describe('the place of a mission in its trace', () => {
  it('is known by its id alone, and people read the id in it', () => {
    expect(traceOfMission(MISSION)).toEqual({
      traceId: '0b5e3c1a9d1f4c708e572f0a6f6f2c11',
      spanId: '8e572f0a6f6f2c11',
    });
  });

  it('is the trace of its commands, each of which is known by its tid', () => {
    expect(traceOfCommand(MISSION, TID)).toEqual({
      traceId: '0b5e3c1a9d1f4c708e572f0a6f6f2c11',
      spanId: 'b85c61cd3cbb3210',
    });
  });

  it.each([null, undefined, '', 'a-flight-of-others', `${MISSION}0`, MISSION.toUpperCase()])(
    'is not made of %p, which a dock may send',
    (id) => {
      expect([traceOfMission(id), traceOfCommand(MISSION, id), traceOfCommand(id, TID)]).toEqual([null, null, null]);
    },
  );
});
