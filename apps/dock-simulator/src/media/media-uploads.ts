import { setTimeout as sleep } from 'node:timers/promises';
import type { DockContext } from '../context.js';
import type { Place } from '../geo.js';
import type { Inquiries } from '../inquiries.js';
import type { Outbox } from '../outbox.js';
import { isSpoken, ObjectUploader } from '../storage/object-uploader.js';
import { type MediaStorage, StorageKeys } from '../storage/storage-keys.js';
import { fileUploadCallbackData } from './file-upload-callback.js';
import { contentOf, mediaOf, type MediaFile } from './media-file.js';

interface Waiting {
  readonly file: MediaFile;
  /** Since the last mission, or since the dock came online. */
  attempts: number;
}

const ATTEMPTS_MAX = 3;
/** For the storage configuration, each with the repeats of any question. */
const QUESTIONS_MAX = 5;
/** The disk is full then. Names and places only are kept here, but thousands of docks may share a process. */
const WAITING_MAX = 1_000;

/**
 * Uploads what the aircraft brings home, one file at a time and only while the dock is online, and tells the cloud of
 * each.
 *
 * A file that finds no way into the storage, after a few attempts, stays and lets the others pass. The end of a flight
 * and every return of the dock give all that wait new attempts. Files outlive a reboot; what is known of the storage
 * does not.
 */
export class MediaUploads {
  private waiting: readonly Waiting[] = [];
  private readonly keys: StorageKeys;
  private flights = 0;
  private online = false;
  private questions = 0;
  private run: AbortController | undefined;

  constructor(
    private readonly context: DockContext,
    private readonly outbox: Outbox,
    inquiries: Inquiries,
  ) {
    this.keys = new StorageKeys(context, inquiries);
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  /** The aircraft is home, with photos of these places. */
  take(flightId: string, photos: readonly Place[]): void {
    const { settings, clock, journal } = this.context;
    if (settings.mediaBytes === 0 || photos.length === 0) return;
    this.flights += 1;
    const files = mediaOf(flightId, this.flights, photos, clock.nowMs());
    const kept = files.slice(0, WAITING_MAX - this.waiting.length);
    this.waiting = [...this.waiting, ...kept.map((file) => ({ file, attempts: 0 }))];
    journal.note('mediaTaken', { flightId, files: kept.length, lost: files.length - kept.length });
    this.begin();
  }

  /** The dock is online. */
  resume(): void {
    this.online = true;
    this.begin();
  }

  /** The dock is not online, or stopped: ends an upload in its middle. */
  halt(): void {
    this.online = false;
    this.run?.abort();
    this.run = undefined;
  }

  reboot(): void {
    this.halt();
    this.keys.forget();
  }

  private begin(): void {
    if (!this.online) return;
    for (const entry of this.waiting) entry.attempts = 0;
    this.questions = 0;
    if (this.run !== undefined || this.waiting.length === 0) return;
    this.run = new AbortController();
    void this.uploadAll(this.run.signal);
  }

  /** After each wait this may no longer be the run that counts; then it leaves everything as it is. */
  private async uploadAll(signal: AbortSignal): Promise<void> {
    for (let next = this.next(); next !== undefined; next = this.next()) {
      const storage = await this.keys.current();
      if (signal.aborted) return;
      if (storage === undefined) {
        this.questions += 1;
        if (this.questions >= QUESTIONS_MAX) {
          this.leaveAll('no storage configuration');
          break;
        }
        await this.pause(this.questions, signal);
      } else if (!isSpoken(storage.access.provider)) {
        this.leaveAll(`a simulated dock does not speak to the provider ${storage.access.provider}`);
        break;
      } else {
        this.questions = 0;
        await this.attempt(next, storage, signal);
      }
      if (signal.aborted) return;
    }
    this.run = undefined;
  }

  private next(): Waiting | undefined {
    return this.waiting.find(({ attempts }) => attempts < ATTEMPTS_MAX);
  }

  private async attempt(entry: Waiting, { access, prefix }: MediaStorage, signal: AbortSignal): Promise<void> {
    const { settings, prng, journal } = this.context;
    const { file } = entry;
    const { flightId, folder } = file.flight;
    const key = `${prefix}/${folder}/${file.name}`;
    const attempt = (entry.attempts += 1);
    const uploader = new ObjectUploader(access);
    const outcome = await uploader.upload(key, contentOf(file, prng, settings.mediaBytes), signal);
    uploader.close();
    switch (outcome.kind) {
      case 'aborted':
        return;
      case 'stored':
        this.uploaded(entry, key, outcome.etag);
        return;
      case 'refused':
        // These keys may be over, or taken back.
        this.keys.renew();
        journal.note('mediaRefused', { flightId, key, code: outcome.code, attempt });
        break;
      case 'failed':
        journal.note('mediaFailed', { flightId, key, code: outcome.code, attempt });
    }
    if (entry.attempts >= ATTEMPTS_MAX) journal.note('mediaLeft', { flightId, key, because: outcome.code });
    else await this.pause(attempt, signal);
  }

  private uploaded(entry: Waiting, key: string, etag: string): void {
    const { settings, journal } = this.context;
    const { file } = entry;
    const { flightId } = file.flight;
    this.waiting = this.waiting.filter((other) => other !== entry);
    file.flight.uploadedCount += 1;
    const data = fileUploadCallbackData(file, key, settings);
    this.outbox.event({ method: 'file_upload_callback', needReply: true, about: flightId, data });
    const upload = { flightId, key, sizeBytes: settings.mediaBytes, etag };
    journal.add(journal.mediaUploaded, upload);
    journal.note('mediaUploaded', upload);
  }

  private leaveAll(because: string): void {
    this.context.journal.note('mediaLeft', { files: this.waitingCount, because });
  }

  private async pause(count: number, signal: AbortSignal): Promise<void> {
    const waitMs = this.context.settings.storageRetryMs * 2 ** (count - 1);
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
