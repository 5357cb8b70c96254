import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';

/** The vendor's file has about 2 MiB. */
const MOST_BYTES = 16 * 1024 * 1024;

const words = z.looseObject({ en: z.string().optional(), zh: z.string().optional() });
const fileSchema = z.record(z.string(), words);

export interface AlarmText {
  readonly en: string | null;
  readonly zh: string | null;
}

export interface SaidOf {
  readonly code: string;
  readonly isDock: boolean;
  readonly inTheSky: boolean;
  readonly componentIndex: number | null;
  readonly sensorIndex: number | null;
}

/** The vendor's words for its codes, from a file of the operator's: hms.json as the vendor publishes it. */
export class AlarmTexts {
  private constructor(private readonly texts: ReadonlyMap<string, z.output<typeof words>>) {}

  /** Undefined: there is no file, and no alarm has words. Throws where it cannot be read. */
  static read(file: string | undefined): AlarmTexts {
    if (file === undefined) return new AlarmTexts(new Map());
    try {
      const { size } = statSync(file);
      if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, at most ${MOST_BYTES} are read`);
      const read = fileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
      if (!read.success) throw new Error(z.prettifyError(read.error).slice(0, 500));
      return new AlarmTexts(new Map(Object.entries(read.data)));
    } catch (error) {
      throw new Error(
        `FLEET_HMS_TEXTS_FILE: cannot read the texts of alarms from ${file}: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Docks and aircraft have keys of their own, and some aircraft codes have another text in the air. */
  of(said: SaidOf): AlarmText | null {
    const { code, isDock, inTheSky } = said;
    const key = `${isDock ? 'dock' : 'fpv'}_tip_${code}`;
    const found = (inTheSky && !isDock && this.texts.get(`${key}_in_the_sky`)) || this.texts.get(key);
    if (!found) return null;
    const fill = (text: string | undefined): string | null => (text === undefined ? null : filled(text, said));
    return { en: fill(found.en), zh: fill(found.zh) };
  }
}

/** People count from 1. A place for which the device sent nothing stays as it is. */
function filled(text: string, { code, componentIndex, sensorIndex }: SaidOf): string {
  const values: Readonly<Record<string, string | null>> = {
    alarmid: code,
    component_index: componentIndex === null ? null : String(componentIndex + 1),
    index: sensorIndex === null ? null : String(sensorIndex + 1),
  };
  return text.replace(/%(alarmid|component_index|index)\b/g, (place, name: string) => values[name] ?? place);
}
