import type { DockConnection } from '../../stack/api.js';

/** What the benchmark says to a process of simulated docks. */
export type ToDocks =
  | {
      readonly kind: 'start';
      readonly snPrefix: string;
      /** In the order of their serial numbers. */
      readonly connections: readonly DockConnection[];
      readonly home: { readonly latitude: number; readonly longitude: number; readonly heightMeters: number };
      readonly seed: number;
      readonly osdIntervalMs: number;
      readonly progressIntervalMs: number;
    }
  | { readonly kind: 'fault'; readonly sns: readonly string[]; readonly faults: string }
  | { readonly kind: 'offline'; readonly sns: readonly string[] }
  | { readonly kind: 'speed'; readonly speed: number }
  | { readonly kind: 'stop' };

/** And what it hears from one. */
export type FromDocks =
  | { readonly kind: 'online'; readonly online: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string };
