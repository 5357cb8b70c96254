/** One thing that happened to a mission. `detail` never holds a credential or a URL that works as one. */
export interface TimelineEntry {
  readonly missionId: string;
  readonly kind: 'decision' | 'refusal' | 'message_in' | 'message_out' | 'note';
  readonly what: string;
  readonly fromState?: string;
  readonly toState?: string;
  readonly revision?: number;
  readonly detail?: Readonly<Record<string, unknown>>;
}
