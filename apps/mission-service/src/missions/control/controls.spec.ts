import { STATES, isOutcome, transitions } from '@aerie/mission-core';
import { type Asked, CONTROLS, CONTROL_ACTIONS, OTHER_ACTIONS, choicesOf, insteadOf } from './controls.js';

const inState = (state: Asked['state'], parts: Partial<Asked> = {}): Asked => ({
  id: 'm-1',
  state,
  kind: 'timed',
  resolution: null,
  model: 'dock2',
  protocol_generation: '1.15',
  ...parts,
});

const actionsOf = (mission: Asked): string[] => choicesOf(mission).map(({ action }) => action);

describe('what can be asked of a mission', () => {
  it('is a cancel or another time while it is scheduled', () => {
    expect(actionsOf(inState('scheduled'))).toEqual(['cancel', 'reschedule']);
    expect(actionsOf(inState('scheduled', { kind: 'immediate' }))).toEqual(['cancel']);
  });

  it('is a resolution when nobody knows how it ended, once', () => {
    expect(actionsOf(inState('outcome_unknown'))).toEqual(['resolve']);
    expect(actionsOf(inState('outcome_unknown', { resolution: {} }))).toEqual([]);
  });

  it('names path and method of each', () => {
    expect(choicesOf(inState('scheduled'))).toMatchObject([
      { method: 'POST', href: '/api/v1/missions/m-1/cancel' },
      { method: 'PATCH', href: '/api/v1/missions/m-1' },
    ]);
  });

  it.each(STATES)('is nothing that the table of the lifecycle refuses: %s', (state) => {
    const eventOf = {
      cancel: 'cancelRequested',
      reschedule: 'rescheduled',
      approve: 'approvalGiven',
      refuse: 'approvalRefused',
    } as const;
    for (const action of actionsOf(inState(state))) {
      if (action === 'resolve') continue;
      const event =
        action in eventOf ? eventOf[action as keyof typeof eventOf] : CONTROLS[action as keyof typeof CONTROLS].event;
      expect({ action, froms: transitions[event].flatMap(({ from }) => [...from]) }).toEqual({
        action,
        froms: expect.arrayContaining([state]) as unknown,
      });
    }
  });

  it.each(['cancel', 'reschedule'] as const)('is %s in every state from which the table goes on with it', (action) => {
    const rows = transitions[action === 'cancel' ? 'cancelRequested' : 'rescheduled'];
    const goesOn = rows.flatMap(({ from }) => [...from]).filter((state) => state !== 'canceling' && !isOutcome(state));
    expect([...OTHER_ACTIONS[action].when].sort()).toEqual(goesOn.sort());
  });

  it.each(STATES)('is told as advice and never as an empty list: %s', (state) => {
    const { advice, details } = insteadOf(inState(state, { kind: 'immediate', resolution: {} }));
    expect(advice).not.toContain('nothing can be asked');
    expect(advice.length).toBeGreaterThan(10);
    expect(details.choices).not.toEqual([]);
    if (details.choices !== undefined) expect(advice).toContain(details.choices[0]?.action);
  });

  it('has a sentence for every command', () => {
    expect(CONTROL_ACTIONS.filter((action) => CONTROLS[action].says === '')).toEqual([]);
  });
});
