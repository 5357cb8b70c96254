import { existsSync, readFileSync, statSync } from 'node:fs';
import { type ReplayEntry, replay as replayEntries } from '@aerie/mission-core';
import { Problem } from '../infrastructure/problem.js';

/** The longest timeline has 20,000 entries of at most 16 KB. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;

/**
 * Runs an exported timeline (`GET /missions/{id}/timeline?format=ndjson`) through the lifecycle as it is now, and
 * reports the first difference. Exit code 0: the same; 1: another outcome; 2: the file cannot be read.
 */
export async function replay(_root: string, args: readonly string[]): Promise<number> {
  const [file] = args;
  if (file === undefined || args.length > 1)
    throw new Problem('Usage: npm run replay -- FILE   (or - for standard input)');
  if (file !== '-' && !existsSync(file)) throw new Problem(`There is no file ${file}.`);
  if (file !== '-' && statSync(file).size > MAX_FILE_BYTES)
    throw new Problem(`${file} is no timeline: it is too large.`);
  const read = readEntries(readFileSync(file === '-' ? 0 : file, 'utf8'));
  if (typeof read === 'string') {
    console.error(read);
    return 2;
  }
  const result = replayEntries(read);
  switch (result.kind) {
    case 'same':
      console.log(`${result.decisions} decisions, all the same. The mission is ${result.mission.state}.`);
      return 0;
    case 'different': {
      const { entry, event, field, recorded, replayed } = result.difference;
      console.log(
        `Line ${entry}, ${event}: ${field} was ${JSON.stringify(recorded)}, now it is ${JSON.stringify(replayed)}.`,
      );
      console.log(`${result.decisions} decisions before it are the same.`);
      return 1;
    }
    case 'unreadable':
      console.error(`Line ${result.entry}: ${result.reason}.`);
      return 2;
  }
}

/** One JSON object on each line, or the JSON answer of the API as a whole. The text of a problem otherwise. */
export function readEntries(text: string): ReplayEntry[] | string {
  const whole = parse(text);
  if (isAnswer(whole)) return whole.items;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) return 'The file is empty.';
  const entries: ReplayEntry[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = parse(line);
    if (!isEntry(entry)) return `Line ${index + 1} is no entry of a timeline.`;
    entries.push(entry);
  }
  return entries;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isAnswer = (value: unknown): value is { items: ReplayEntry[] } =>
  typeof value === 'object' &&
  value !== null &&
  'items' in value &&
  Array.isArray(value.items) &&
  value.items.every(isEntry);

const isEntry = (value: unknown): value is ReplayEntry =>
  typeof value === 'object' && value !== null && 'kind' in value && 'what' in value && 'detail' in value;
