import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AlarmTexts } from './alarm-texts.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'aerie-texts-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function textsOf(content: string): AlarmTexts {
  const file = path.join(directory, 'hms.json');
  writeFileSync(file, content);
  return AlarmTexts.read(file);
}

const said = { code: '0x1', isDock: false, inTheSky: false, componentIndex: null, sensorIndex: null };
const texts = () =>
  textsOf(
    JSON.stringify({
      fpv_tip_0x1: { en: 'Motor %component_index stuck (%alarmid)', zh: '电机' },
      fpv_tip_0x1_in_the_sky: { en: 'Land now' },
      dock_tip_0x1: { en: 'Cover %index of %component_index is open' },
    }),
  );

it('has the words for docks, for aircraft, and for aircraft in the air', () => {
  expect(texts().of({ ...said, inTheSky: true })).toEqual({ en: 'Land now', zh: null });
  expect(texts().of(said)).toEqual({ en: 'Motor %component_index stuck (0x1)', zh: '电机' });
  expect(texts().of({ ...said, isDock: true })?.en).toBe('Cover %index of %component_index is open');
});

it('counts from 1 what the words name', () => {
  const { en } = texts().of({ ...said, isDock: true, componentIndex: 0, sensorIndex: 2 }) ?? {};
  expect(en).toBe('Cover 3 of 1 is open');
});

it('has the words on the ground for a code that has none for the air', () => {
  const one = textsOf(JSON.stringify({ fpv_tip_0x1: { en: 'Cold' } }));
  expect(one.of({ ...said, inTheSky: true })?.en).toBe('Cold');
});

it.each(['0x2', '__proto__', 'constructor'])('has no words for %s', (code) => {
  expect(texts().of({ ...said, code })).toBeNull();
});

it('has no words where there is no file', () => {
  expect(AlarmTexts.read(undefined).of(said)).toBeNull();
});

it.each(['{', '[]', '{"fpv_tip_0x1": "text"}', '{"fpv_tip_0x1": {"en": 1}}'])('refuses a file with %s', (content) => {
  expect(() => textsOf(content)).toThrow(/^FLEET_HMS_TEXTS_FILE: cannot read the texts of alarms from .*hms\.json: ./);
});

it('refuses a file that is not there', () => {
  expect(() => AlarmTexts.read(path.join(directory, 'none'))).toThrow('ENOENT');
});
