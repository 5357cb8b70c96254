import { GONE_AFTER_MS, Roll } from './roll.js';

const EVERY_MS = 2_000;
const linksOf = (ingressId: string) => [`${ingressId}-0`, `${ingressId}-1`];
const says = (ingressId: string, connected = linksOf(ingressId), links = linksOf(ingressId)) => ({
  v: 1 as const,
  ingressId,
  links,
  connected,
});

/** What `me` takes over after so long, when `talk` says who says what at each look. */
function takenOver(me: string, untilMs: number, talk: (nowMs: number) => readonly ReturnType<typeof says>[]) {
  const roll = new Roll(me, EVERY_MS);
  const taken: string[] = [];
  for (let nowMs = 0; nowMs <= untilMs; nowMs += EVERY_MS) {
    for (const said of talk(nowMs)) roll.heard(said, nowMs);
    for (const clientId of roll.toTakeOver(nowMs)) {
      taken.push(clientId);
      roll.takenOver(clientId);
    }
  }
  return taken;
}

const LONG_MS = 4 * GONE_AFTER_MS;

it('gives all links of a replica that is silent to the first of those that are left', () => {
  const talk = (nowMs: number) => [says('b'), says('c'), ...(nowMs < 4_000 ? [says('a')] : [])];
  expect(takenOver('b', LONG_MS, talk)).toEqual(linksOf('a'));
  expect(takenOver('c', LONG_MS, talk)).toEqual([]);
});

it('waits for as long as a link may be away', () => {
  const talk = (nowMs: number) => [says('b'), ...(nowMs === 0 ? [says('a')] : [])];
  expect(takenOver('b', GONE_AFTER_MS - EVERY_MS, talk)).toEqual([]);
  expect(takenOver('b', GONE_AFTER_MS, talk)).toEqual(linksOf('a'));
});

it('gives the links of a replica that talks and has lost the broker, once for each loss', () => {
  const away = (nowMs: number): boolean => nowMs >= 4_000 && nowMs !== 26_000;
  const talk = (nowMs: number) => [says('b'), says('a', away(nowMs) ? [] : linksOf('a'))];
  expect(takenOver('b', 24_000, talk)).toEqual(linksOf('a'));
  expect(takenOver('b', 90_000, talk)).toEqual([...linksOf('a'), ...linksOf('a')]);
});

it('gives none of a replica that left in order', () => {
  const talk = (nowMs: number) => [
    says('b'),
    ...(nowMs < 4_000 ? [says('a')] : nowMs === 4_000 ? [says('a', [], [])] : []),
  ];
  expect(takenOver('b', LONG_MS, talk)).toEqual([]);
});

it('gives none of its own, and none to a replica that hears not even itself', () => {
  expect(takenOver('a', LONG_MS, () => [says('a', [])])).toEqual([]);
  expect(takenOver('b', LONG_MS, (nowMs) => (nowMs === 0 ? [says('a'), says('b')] : []))).toEqual([]);
});

it('gives none to one that has no link to the broker itself', () => {
  const talk = (nowMs: number) => [says('b', []), ...(nowMs < 4_000 ? [says('a')] : [])];
  expect(takenOver('b', LONG_MS, talk)).toEqual([]);
});

it('takes nobody for gone when it was held up itself', () => {
  const roll = new Roll('b', EVERY_MS);
  for (const id of ['a', 'b']) roll.heard(says(id), 0);
  roll.toTakeOver(0);
  roll.heard(says('b'), LONG_MS);
  expect(roll.toTakeOver(LONG_MS)).toEqual([]);
  roll.heard(says('b'), LONG_MS + EVERY_MS);
  expect(roll.toTakeOver(LONG_MS + EVERY_MS)).toEqual([]);
});

it('comes back to a link that could not be taken over when it was gone for as long once more', () => {
  const roll = new Roll('b', EVERY_MS);
  roll.heard(says('a', ['a-0'], ['a-0']), 0);
  const given: number[] = [];
  for (let nowMs = 0; nowMs <= LONG_MS; nowMs += EVERY_MS) {
    roll.heard(says('b'), nowMs);
    if (roll.toTakeOver(nowMs).length === 0) continue;
    given.push(nowMs);
    roll.failed('a-0', nowMs);
  }
  expect(given).toEqual([1, 2, 3, 4].map((times) => times * GONE_AFTER_MS));
});
