/** What the doctor looks at, in this order. */
export const STEPS = [
  'address',
  'clock',
  'assume_role',
  'bucket',
  'region',
  'put',
  'put_in_parts',
  'head',
  'read_refused',
  'list_refused',
  'outside_refused',
  'presigned_download',
  'cors',
  'clean_up',
] as const;
export type StepName = (typeof STEPS)[number];

export interface StepResult {
  readonly step: StepName;
  readonly verdict: 'passed' | 'failed' | 'skipped';
  /** What was seen. */
  readonly found: string;
  /** What to change; null where nothing is wrong. */
  readonly change: string | null;
  readonly tookMs: number;
}

export interface Diagnosis {
  readonly found: string;
  readonly change: string;
}

/** What is wrong, as a step found it by itself. */
export class Finding extends Error {
  constructor(readonly diagnosis: Diagnosis) {
    super(diagnosis.found);
    this.name = 'Finding';
  }
}
