/** google.protobuf.Timestamp as the loader gives and takes it. */
export interface ProtoTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export const timestampOf = (iso: string | null): ProtoTimestamp | undefined => {
  if (iso === null) return undefined;
  const atMs = Date.parse(iso);
  return { seconds: Math.floor(atMs / 1_000), nanos: (((atMs % 1_000) + 1_000) % 1_000) * 1_000_000 };
};

/** Milliseconds since the epoch; undefined where the field was not set, NaN where its nanos are more than a second or negative. */
export function msOf(timestamp: ProtoTimestamp | null | undefined): number | undefined {
  if (timestamp == null) return undefined;
  const { seconds, nanos = 0 } = timestamp;
  return nanos < 0 || nanos > 999_999_999 ? NaN : Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}

/** The same as RFC 3339; what is no instant of any calendar comes out as a text that no reader takes for one. */
export function isoOf(timestamp: unknown): string | undefined {
  const atMs = msOf(timestamp as ProtoTimestamp | null | undefined);
  if (atMs === undefined) return undefined;
  const instant = new Date(atMs);
  return Number.isNaN(instant.getTime()) ? 'out of range' : instant.toISOString();
}
