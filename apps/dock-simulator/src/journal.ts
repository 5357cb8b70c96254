import { UnavailableError } from '@aerie/kernel';
import type { Json } from './wire.js';

export type FactName =
  | 'connected'
  | 'disconnected'
  | 'registered'
  | 'unanswered'
  | 'online'
  | 'command'
  | 'prepared'
  | 'ready'
  | 'refused'
  | 'accepted'
  | 'takeOff'
  | 'paused'
  | 'resumed'
  | 'returning'
  | 'takenOver'
  | 'forgot'
  | 'landed'
  | 'ended'
  | 'mediaTaken'
  | 'storageGiven'
  | 'mediaUploaded'
  | 'mediaRefused'
  | 'mediaFailed'
  | 'mediaLeft'
  | 'logListed'
  | 'logExportBegan'
  | 'logFileUploaded'
  | 'logFileFailed'
  | 'logExportEnded'
  | 'answered'
  | 'gaveUp'
  | 'fault'
  | 'reboot';

export interface Fact {
  /** Counts up from 1 and never repeats. */
  readonly seq: number;
  readonly atMs: number;
  readonly name: FactName;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

export interface ReceivedCommand {
  readonly method: string;
  readonly tid: string;
  readonly bid: string;
  readonly data: Json;
  readonly atMs: number;
}

export interface SentEvent {
  readonly sn: string;
  readonly method: string;
  readonly tid: string;
  readonly bid: string;
  readonly needReply: boolean;
  readonly data: unknown;
  /** As printed on the wire, so with the dock's clock. */
  readonly timestampMs: number;
  /** 1 for the first time, 2 for the first repeat. */
  readonly attempt: number;
}

export interface SentReply {
  readonly method: string;
  readonly tid: string;
  readonly result: number;
  readonly atMs: number;
}

export interface AnsweredEvent {
  readonly method: string;
  readonly tid: string;
  readonly bid: string;
  readonly result: number;
  readonly attempts: number;
}

export interface FlownFlight {
  readonly flightId: string;
  readonly status: string;
  readonly result: number;
  readonly mediaCount: number;
}

export interface UploadedMedia {
  readonly flightId: string;
  /** In the bucket. */
  readonly key: string;
  readonly sizeBytes: number;
  /** As the storage gave it, without quotes. */
  readonly etag: string;
}

/** One archive that is in the storage, whatever the cloud was told of it. */
export interface UploadedLog {
  /** Of the command that asked for it. */
  readonly bid: string;
  /** `0` the aircraft's, `3` the dock's. */
  readonly module: string;
  /** In the bucket. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Of what was stored, in hex. */
  readonly md5: string;
  readonly bootIndexes: readonly number[];
}

interface Waiter {
  readonly check: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What happened to one dock, and the way to wait for it. Only facts are waited for, never time. */
export class Journal {
  readonly facts: Fact[] = [];
  readonly received: ReceivedCommand[] = [];
  readonly eventsSent: SentEvent[] = [];
  readonly repliesSent: SentReply[] = [];
  readonly answeredEvents: AnsweredEvent[] = [];
  readonly takeoffs: string[] = [];
  readonly flightsFlown: FlownFlight[] = [];
  readonly mediaUploaded: UploadedMedia[] = [];
  readonly logUploads: UploadedLog[] = [];
  private seq = 0;
  private readonly waiters = new Set<Waiter>();

  constructor(
    /** Of each list: a dock that runs for days must not fill the memory. */
    private readonly entriesMax: number,
    private readonly onFact?: (fact: Fact) => void,
  ) {}

  note(name: FactName, detail: Fact['detail'] = {}): void {
    this.seq += 1;
    const fact: Fact = { seq: this.seq, atMs: Date.now(), name, detail };
    this.add(this.facts, fact);
    this.onFact?.(fact);
  }

  add<T>(list: T[], entry: T): void {
    list.push(entry);
    if (list.length > this.entriesMax) list.splice(0, list.length - this.entriesMax);
    this.touch();
  }

  /** Something changed that a waiter may look at. */
  touch(): void {
    for (const waiter of this.waiters) {
      try {
        if (waiter.check()) waiter.resolve();
      } catch (error) {
        waiter.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  async waitUntil(check: () => boolean, timeoutMs: number, what: string): Promise<void> {
    if (check()) return;
    await new Promise<void>((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        finish();
      };
      const timer = setTimeout(() => {
        const seen = this.facts.slice(-8).map((fact) => `${fact.name} ${JSON.stringify(fact.detail)}`);
        const message = `waited ${timeoutMs} ms for ${what}; last facts: ${seen.join(', ') || 'none'}`;
        done(() => reject(new UnavailableError('wait_timed_out', message)));
      }, timeoutMs);
      const waiter: Waiter = {
        check,
        resolve: () => done(resolve),
        reject: (error) => done(() => reject(error)),
      };
      this.waiters.add(waiter);
    });
  }

  /** Ends all waits. */
  close(): void {
    for (const waiter of this.waiters) waiter.reject(new UnavailableError('dock_stopped', 'the dock was stopped'));
  }
}
