import { BREAK_REASONS } from '../break-reasons.js';
import { BUSY_FOR_NOW, isNotPrepared, meaningOf, USER_RETURN_RESULT } from '../result-codes.js';
import { ADVICE, type AdviceKey } from './advice.js';
import { BREAK_REASON_ROWS } from './break-reason-rows.js';
import { DEVICE_CODE_ROWS } from './device-code-rows.js';
import { BREAK_REASON_BASE, ERROR_CODES, errorCode } from './error-codes.js';
import { LIVE_CODE_ROWS } from './live-code-rows.js';
import { MISSION_CODE_ROWS } from './mission-code-rows.js';
import { range } from './row.js';

const CHINESE = /\p{Script=Han}/u;
const RETRIES = ['now', 'later', 'fix_request', 'fix_route', 'on_site', 'never'];
const OWN_ROWS = [...MISSION_CODE_ROWS, ...DEVICE_CODE_ROWS, ...LIVE_CODE_ROWS];
const codes = ERROR_CODES.map(({ code }) => code);

/** The codes that the vendor's lists and demo name. Ranges are as printed. */
const PUBLISHED: readonly number[] = [
  ...[0, 1, 2, 210231, 212510, 212511],
  ...[...range(314000, 314021), 314024, 314025, 314200],
  ...range(315000, 315065),
  ...[...range(316001, 316011), 316016, ...range(316020, 316027), 316034, ...range(316050, 316053), 317001, 317007],
  ...[...range(319001, 319010), ...range(319015, 319020), ...range(319025, 319030), 319036, 319037, 319038],
  ...[319042, 319043, 319044, 319046, 319999, 321000, 386535],
  ...[321004, 321005, ...range(321257, 321260), ...range(321513, 321519), 321523, 321524, ...range(321528, 321533)],
  ...[...range(321769, 321773), ...range(321775, 321778), 321784, 321788],
  ...[322281, 322282, 322283, 322539, 322563],
  ...[...range(324012, 324021), 324030, 325001, 325003, 325004, ...range(325005, 325012), 326108, 326109, 327022],
  ...[...range(338001, 338255), 341002, 514101, 514102, 514103, 514107, 514108, 514109, 514110, 514113, 514117, 514118],
  ...[514120, 514121, ...range(514134, 514138), ...range(514142, 514148), 514150, 514155, 514156, 514159, 514168],
  ...[514170, 514171, 514173],
];

/** The vendor's newest list, whole. [Cloud API 1.16.1, error codes] */
const NEWEST_LIST: readonly number[] = [
  ...[312014, 312015, 312016, 312022, 312023, ...range(312027, 312030), 312704],
  ...[...range(314000, 314003), ...range(314005, 314021), 314024, 314025, 314200],
  ...[...range(315000, 315019), ...range(315050, 315065)],
  ...[...range(316001, 316027), 316029, ...range(316032, 316035), ...range(316050, 316053), ...range(316100, 316111)],
  ...[...range(317001, 317007), ...range(319001, 319010), ...range(319015, 319038), ...range(319042, 319046), 319999],
  ...[321000, 321004, 321005, ...range(321257, 321260), ...range(321513, 321517), 321519, 321523, 321524],
  ...[...range(321528, 321533), ...range(321769, 321773), ...range(321775, 321778), 321784, 321788],
  ...[322281, 322282, 322283, 322539, 322563, ...range(324012, 324019), 324021, 324030, 325001],
  ...[...range(325003, 325012), ...range(326002, 326006), ...range(326008, 326010), ...range(326103, 326107)],
  ...[...range(327000, 327020), 327022, ...range(327050, 327075), ...range(327201, 327221), 327500, 328051, 328052],
  ...[...range(336000, 336006), 336017, 336018, 336019, ...range(336513, 336517)],
  ...[...range(337025, 337030), ...range(337537, 337546)],
  ...[...range(338001, 338011), ...range(338017, 338021), ...range(338049, 338054), 338255, 341002, 386535],
  ...[513002, 513003, 513005, 513006, 513008, ...range(513010, 513017), 513099, ...range(514100, 514114)],
  ...[514116, 514117, 514118, ...range(514120, 514125), ...range(514134, 514151), ...range(514153, 514159)],
  ...[...range(514162, 514165), 514168, ...range(514170, 514174), ...range(514180, 514185), ...range(514300, 514304)],
];

const PUBLISHED_REASONS: readonly number[] = [
  ...[1, 2, ...range(4, 7), 257, 258, 259, 261, 262, ...range(513, 519), 521, 522, 523, 524, ...range(526, 529)],
  ...[...range(769, 773), 775, ...range(778, 781), 784, 1281, 1282, 1283, ...range(1539, 1565), ...range(1588, 1649)],
  ...[65534, 65535],
];

describe('the catalogue of result codes', () => {
  it('knows every code that is published', () => {
    expect(PUBLISHED.filter((code) => errorCode(code) === null)).toEqual([]);
  });

  it('has a text for each of the 448 codes of the newest list, in its two languages', () => {
    expect(new Set(NEWEST_LIST).size).toBe(448);
    expect(NEWEST_LIST.filter((code) => errorCode(code) === null)).toEqual([]);
  });

  it('says every code in both languages, in few words', () => {
    for (const { code, en, zh } of ERROR_CODES) {
      expect({ code, en: en.length > 0 && en.length <= 80, zh: CHINESE.test(zh) && zh.length <= 40 }).toEqual({
        code,
        en: true,
        zh: true,
      });
    }
  });

  it('gives every code an advice in both languages and one of six kinds of retry', () => {
    for (const { advice, retry } of ERROR_CODES) {
      expect(advice.en).toMatch(/^[A-Z][^\n]*\.$/);
      expect(advice.zh).toMatch(/^[^\n]*\p{Script=Han}[^\n]*。$/u);
      expect(RETRIES).toContain(retry);
    }
  });

  it('uses every advice that is written', () => {
    const used = new Set([...OWN_ROWS, ...BREAK_REASON_ROWS].map(([, , , key]): string => key));
    expect((Object.keys(ADVICE) as AdviceKey[]).filter((key) => !used.has(key))).toEqual([]);
  });

  it('knows no code twice', () => {
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('is sorted by code', () => {
    expect(codes).toEqual([...codes].sort((one, other) => one - other));
  });

  it.each([-1, 7, 999999, 321999, 0.5, Number.NaN])('does not know %d', (code) => {
    expect(errorCode(code)).toBeNull();
  });

  it.each([...BUSY_FOR_NOW])('lets %i be tried again, since it counts as busy for now', (code) => {
    expect(['now', 'later']).toContain(errorCode(code)?.retry);
  });
});

describe('the codes of waylines', () => {
  it.each([...BREAK_REASONS.keys()])('derive from break reason %i by adding 321000', (reason) => {
    expect(errorCode(BREAK_REASON_BASE + reason)?.en).toBe(BREAK_REASONS.get(reason));
  });

  it('are written nowhere else', () => {
    const written = OWN_ROWS.flatMap(([numbers]) => numbers);
    expect(written.filter((code) => code > BREAK_REASON_BASE && code < 323_000)).toEqual([]);
  });

  it('know every break reason that is published', () => {
    expect(PUBLISHED_REASONS.filter((reason) => !BREAK_REASONS.has(reason))).toEqual([]);
  });

  it('read a return by the user as such, and as a flight that can go on (M18)', () => {
    expect(errorCode(USER_RETURN_RESULT)).toMatchObject({ en: 'returned by the user', resumable: true });
  });

  it('never let a scheduler repeat a flight that a person ended', () => {
    expect([322281, 322282, 322283].map((code) => errorCode(code)?.retry)).toEqual(['never', 'never', 'never']);
  });

  it('can go on from a breakpoint after these ends and no others', () => {
    const resumable = ERROR_CODES.filter((entry) => entry.resumable === true).map(({ code }) => code);
    expect(resumable).toEqual([321773, 321775, 321784, 321788, 322281, 322282, 322283]);
  });
});

describe('a dock that does not hold the task', () => {
  it.each([319003, 321001, 321259])('says so with %i, and may be prepared again at once', (code) => {
    expect(isNotPrepared(code)).toBe(true);
    expect(errorCode(code)?.retry).toBe('now');
  });

  it.each([0, 319004, 319016, 321257, 321260])('does not say so with %i', (code) => {
    expect(isNotPrepared(code)).toBe(false);
  });
});

it('meaningOf gives the English text of the catalogue', () => {
  expect(ERROR_CODES.map(({ code }) => meaningOf(code))).toEqual(ERROR_CODES.map(({ en }) => en));
});
