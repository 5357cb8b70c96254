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

  it.each([
    'SELECT * FROM mission.mission',
    'SELECT DISTINCT * FROM mission.mission',
    'SELECT m.*, d.model FROM mission.mission m',
    'SELECT d.model, m.* FROM mission.mission m',
    'SELECT id,\n  * FROM mission.mission',
    'INSERT INTO mission.policy (revision) VALUES ($1) RETURNING *',
    'UPDATE mission.policy AS p SET revision = $1 RETURNING p.*',
  ])('is refused where columns are not named: %s', (sql) => {
    expect(() => new StatementNames().of(sql)).toThrow('must name its columns');
  });

  it.each([
    'SELECT count(*) FROM mission.mission',
    'SELECT 2 * amount FROM account',
    'SELECT id, (2 * amount) FROM account',
  ])('is given to: %s', (sql) => {
    expect(new StatementNames().of(sql)).toBe('s0');
  });
});
