import { StatementNames } from './statement-names.js';

describe('the name of a statement', () => {
  it('is the same for the same text, and another for another text', () => {
    const names = new StatementNames();
    const [first, second, again] = [names.of('SELECT 1'), names.of('SELECT 2'), names.of('SELECT 1')];
    expect([first === again, first === second]).toEqual([true, false]);
  });

  it('is missing beyond the limit, where the text is parsed each time', () => {
    const names = new StatementNames(1);
    expect([names.of('SELECT 1'), names.of('SELECT 2'), names.of('SELECT 1')]).toEqual(['s0', undefined, 's0']);
  });
});
