import { AskTogether } from './ask-together.js';

let questions: (readonly string[])[];
let answers: ((fails: boolean) => void)[];
let together: AskTogether<string>;
beforeEach(() => {
  questions = [];
  answers = [];
  together = new AskTogether((keys) => {
    questions.push(keys);
    return new Promise((resolve, reject) =>
      answers.push((fails) =>
        fails ? reject(new Error('away')) : resolve(new Map(keys.map((key) => [key, `of ${key}`]))),
      ),
    );
  });
});

/** Lets everything run that waits for nothing. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('asks once for all that is asked while a question is under way', async () => {
  const first = together.find('a');
  await settle();
  const others = ['b', 'c', 'b'].map((key) => together.find(key));
  answers[0]?.(false);
  await settle();
  answers[1]?.(false);
  expect(await Promise.all([first, ...others])).toEqual(['of a', 'of b', 'of c', 'of b']);
  expect(questions).toEqual([['a'], ['b', 'c']]);
});

it('fails those who asked, and no others', async () => {
  const first = together.find('a').catch((error: unknown) => error);
  await settle();
  const second = together.find('b');
  answers[0]?.(true);
  await settle();
  answers[1]?.(false);
  expect([await first, await second]).toEqual([new Error('away'), 'of b']);
});

it('asks again after it has been idle, and for no more than a question takes', async () => {
  const asked = Array.from({ length: 501 }, (_, index) => together.find(String(index)));
  await settle();
  answers[0]?.(false);
  await settle();
  answers[1]?.(false);
  await Promise.all(asked);
  expect(questions.map(({ length }) => length)).toEqual([500, 1]);
  const later = together.find('later');
  await settle();
  answers[2]?.(false);
  expect(await later).toBe('of later');
});

it('says null for what nobody knows', async () => {
  const nobody = new AskTogether<string>(async () => new Map());
  expect(await nobody.find('x')).toBeNull();
});

it('asks for keys of different groups one after the other, those who have waited longest first', async () => {
  const asked: (readonly string[])[] = [];
  const grouped = new AskTogether<string>(
    async (keys) => {
      asked.push(keys);
      return new Map(keys.map((key) => [key, `of ${key}`]));
    },
    (key) => key.slice(0, 1),
  );
  const answered = await Promise.all(['a1', 'b1', 'a2', 'b2'].map((key) => grouped.find(key)));
  expect(answered).toEqual(['of a1', 'of b1', 'of a2', 'of b2']);
  expect(asked).toEqual([
    ['a1', 'a2'],
    ['b1', 'b2'],
  ]);
});
