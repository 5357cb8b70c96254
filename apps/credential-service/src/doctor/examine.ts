import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '@aerie/kernel';
import type { IssuedKeys, ObjectDoor, StorageProvider } from '../providers/storage.provider.js';
import type { Agents } from '@aerie/outbound';
import type { Storage } from '../storages/storage.js';
import { type Failure, diagnose, diagnoseAddress, diagnoseSignature, failureOf } from './diagnose.js';
import { probe } from './probe.js';
import { type Diagnosis, Finding, STEPS, type StepName, type StepResult } from './step.js';

export interface Patient {
  readonly storage: Storage;
  readonly provider: StorageProvider;
  readonly agents: Agents;
  /** Whose keys are tried; the folder of the doctor is below it. */
  readonly organisationId: string;
  /** Where the console is served from; null: nobody uploads from a browser. */
  readonly browserOrigin: string | null;
  readonly clock: Clock;
}

/** Signatures of S3 bear this much. [S3, RequestTimeTooSkewed] */
const MAX_SKEW_MS = 15 * 60_000;
const SHORTEST_KEYS_SECONDS = 900;
/** The least that a part may have, and a last one. [S3, limits of uploads in parts] */
const PARTS = [5 * 1024 * 1024, 1];
const DOWNLOAD_SECONDS = 60;

/**
 * Does with a storage what a dock would do, and what keys of a dock must not be able to do, and says what is wrong.
 * What it writes lies below `org/<organisation>/dock/_doctor/` and is deleted again.
 */
export async function examine(patient: Patient): Promise<readonly StepResult[]> {
  return new Examination(patient).run();
}

class Examination {
  private readonly prefix: string;
  private readonly results: StepResult[] = [];
  private readonly written = new Set<string>();
  private readonly content = randomBytes(256);
  private keys: IssuedKeys | undefined;
  private dock: ObjectDoor | undefined;
  private region: string | null = null;

  constructor(private readonly patient: Patient) {
    this.prefix = `org/${patient.organisationId}/dock/_doctor/${randomUUID()}/`;
  }

  async run(): Promise<readonly StepResult[]> {
    const service = this.patient.provider.asService();
    const steps: Readonly<Record<StepName, () => Promise<string>>> = {
      address: () => this.address(),
      clock: () => this.clock(),
      assume_role: () => this.assumeRole(),
      bucket: () => this.bucket(service),
      region: () => this.checkRegion(),
      put: () => this.put(),
      put_in_parts: () => this.putInParts(),
      head: () => this.head(service),
      read_refused: () => this.refused('read', (dock) => dock.get(`${this.prefix}whole`)),
      list_refused: () => this.refused('list the bucket', (dock) => dock.list('')),
      outside_refused: () => this.outsideRefused(service),
      presigned_download: () => this.presignedDownload(),
      cors: () => this.cors(),
      clean_up: () => this.cleanUp(service),
    };
    for (const step of STEPS) await this.take(step, steps[step]);
    service.stop();
    this.dock?.stop();
    return this.results;
  }

  private async take(step: StepName, run: () => Promise<string>): Promise<void> {
    const startedMs = performance.now();
    const note = (
      verdict: StepResult['verdict'],
      { found, change }: { found: string; change: string | null },
    ): void => {
      this.results.push({ step, verdict, found, change, tookMs: Math.round(performance.now() - startedMs) });
    };
    const missing = this.missingFor(step);
    if (missing !== null) return note('skipped', { found: missing, change: null });
    try {
      note('passed', { found: await run(), change: null });
    } catch (error) {
      note('failed', this.diagnosisOf(step, error));
    }
  }

  /** Why a step makes no sense; null where it does. */
  private missingFor(step: StepName): string | null {
    const needsKeys: readonly StepName[] = ['put', 'put_in_parts', 'read_refused', 'list_refused', 'outside_refused'];
    const needsObject: readonly StepName[] = ['head', 'read_refused', 'presigned_download'];
    const whole = `${this.prefix}whole`;
    if (needsKeys.includes(step) && this.keys === undefined) return 'there are no keys to try';
    if (needsObject.includes(step) && !this.written.has(whole)) return 'there is no object to look at';
    if (step === 'region' && this.region === null) return 'the storage does not say its region';
    if (step === 'cors' && this.patient.browserOrigin === null) return 'no origin of a console is configured';
    if (step === 'clean_up' && this.written.size === 0) return 'there is nothing to clean up';
    return null;
  }

  private diagnosisOf(step: StepName, error: unknown): Diagnosis {
    if (error instanceof Finding) return error.diagnosis;
    return diagnose(step, failureOf(error), this.patient.storage);
  }

  private async address(): Promise<string> {
    const { storage, agents } = this.patient;
    const { dockEndpoint, serviceEndpoint, stsEndpoint } = storage;
    const urls = new Map(
      Object.entries({ dockEndpoint, serviceEndpoint, stsEndpoint }).flatMap(([field, url]) =>
        url === null ? [] : [[url, field] as const],
      ),
    );
    for (const [url, field] of urls) {
      await probe(url, agents).catch((error: unknown) => {
        throw new Finding(diagnoseAddress(field, url, failureOf(error)));
      });
    }
    return `${[...urls.keys()].join(' and ')} answer`;
  }

  private async clock(): Promise<string> {
    const { storage, agents, clock } = this.patient;
    const before = clock.nowMs();
    const { headers } = await probe(storage.serviceEndpoint, agents);
    const theirsMs = Date.parse(String(headers['date']));
    if (Number.isNaN(theirsMs)) return 'the storage does not say what time it is';
    // Their answer has whole seconds and was on the way.
    const skewMs = theirsMs + 500 - (before + clock.nowMs()) / 2;
    const said = `${Math.abs(Math.round(skewMs / 1_000))} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours`;
    if (Math.abs(skewMs) <= MAX_SKEW_MS) return `the storage's clock is ${said}`;
    throw new Finding({
      found: `the storage's clock is ${said}; more than 15 minutes and signatures are refused`,
      change: 'Set the clocks of this machine and of the storage by NTP. Docks take theirs from it, too.',
    });
  }

  private async assumeRole(): Promise<string> {
    const { provider, storage } = this.patient;
    // First as long as docks get them, so that a role that gives less is found here and not by a dock.
    const ask = { prefix: this.prefix, lifetimeSeconds: storage.lifetimeSeconds, sessionName: 'doctor' };
    await provider.issueKeys(ask);
    this.keys = await provider.issueKeys({ ...ask, lifetimeSeconds: SHORTEST_KEYS_SECONDS });
    this.dock = provider.asDock(this.keys);
    return `keys for ${storage.lifetimeSeconds} s, by the role ${storage.roleArn}`;
  }

  private async bucket(service: ObjectDoor): Promise<string> {
    try {
      this.region = await service.bucketRegion();
    } catch (error) {
      throw await this.orStyle(error, 'asService', async (door) => void (await door.bucketRegion()));
    }
    return `${this.patient.storage.bucket} is there`;
  }

  private async checkRegion(): Promise<string> {
    const { region } = this.patient.storage;
    // OSS names its places with a prefix.
    const plain = (name: string | null): string => (name ?? '').replace(/^oss-/, '');
    if (plain(this.region) === plain(region)) return `the bucket is in ${this.region}`;
    throw new Finding({
      found: `the bucket is in ${this.region}, not in ${region}`,
      change: `Set region to ${this.region}.`,
    });
  }

  private async put(): Promise<string> {
    const key = `${this.prefix}whole`;
    try {
      await this.dock?.put(key, this.content);
    } catch (error) {
      throw await this.orStyle(error, 'asDock', async (door) => {
        await door.put(key, this.content);
        this.written.add(key);
      });
    }
    this.written.add(key);
    return 'a dock can upload';
  }

  /** What works with the other style of URLs, and in no other way, names the fault; else the first error stands. */
  private async orStyle(error: unknown, as: 'asDock' | 'asService', retry: (door: ObjectDoor) => Promise<void>) {
    const { provider, storage } = this.patient;
    const { code, status } = failureOf(error);
    // Whoever may not is told so in either style.
    if (code === 'AccessDenied' || status === 403 || (as === 'asDock' && this.keys === undefined)) return error;
    const style = { otherStyle: true };
    const other =
      this.keys !== undefined && as === 'asDock' ? provider.asDock(this.keys, style) : provider.asService(style);
    const works = await retry(other).then(
      () => true,
      () => false,
    );
    other.stop();
    if (!works) return error;
    return new Finding({
      found: storage.pathStyle
        ? 'this storage wants the bucket in the host of URLs'
        : 'this storage wants the bucket in the path of URLs',
      change: `Set pathStyle to ${String(!storage.pathStyle)}.`,
    });
  }

  private async putInParts(): Promise<string> {
    const key = `${this.prefix}parts`;
    await this.dock?.putInParts(
      key,
      PARTS.map((bytes) => Buffer.alloc(bytes, 7)),
    );
    this.written.add(key);
    return 'a dock can upload in parts';
  }

  private async head(service: ObjectDoor): Promise<string> {
    const { sizeBytes } = await service.head(`${this.prefix}whole`);
    if (sizeBytes === this.content.length) return 'what was uploaded is there, and whole';
    throw new Finding({
      found: `what was uploaded has ${sizeBytes} bytes instead of ${this.content.length}`,
      change: 'dockEndpoint and serviceEndpoint may lead to different storages, or a proxy changes what passes.',
    });
  }

  private async refused(what: string, attempt: (dock: ObjectDoor) => Promise<unknown>): Promise<string> {
    const { dock } = this;
    if (dock === undefined) throw new Error('there are no keys');
    try {
      await attempt(dock);
    } catch (error) {
      if (isRefusal(failureOf(error), this.patient.storage)) return `keys of a dock cannot ${what}`;
      throw error;
    }
    throw new Finding({
      found: `keys of a dock can ${what}, although their session policy does not allow it`,
      change:
        'This storage does not enforce session policies. Narrow the role to uploads below org/, or use another storage.',
    });
  }

  private async outsideRefused(service: ObjectDoor): Promise<string> {
    const outside = `${this.prefix.slice(0, -1)}-outside/x`;
    try {
      return await this.refused('write outside of their folder', (dock) => dock.put(outside, this.content));
    } catch (error) {
      if (error instanceof Finding) await service.delete(outside).catch(() => undefined);
      throw error;
    }
  }

  private async presignedDownload(): Promise<string> {
    const { provider, agents, clock } = this.patient;
    const url = await provider.presignGet({
      objectKey: `${this.prefix}whole`,
      lifetimeSeconds: DOWNLOAD_SECONDS,
      signedAtMs: Math.floor(clock.nowMs() / 1_000) * 1_000,
    });
    const { status, body } = await probe(url, agents);
    if (status === 200 && body.equals(this.content)) return 'an address for a download works';
    throw new Finding({
      found: `an address for a download was answered with ${status}`,
      change: 'dockEndpoint must be the very host under which docks reach the storage: it is part of the signature.',
    });
  }

  private async cors(): Promise<string> {
    const { storage, agents, browserOrigin } = this.patient;
    const origin = browserOrigin ?? '';
    const url = storage.pathStyle ? `${storage.dockEndpoint}/${storage.bucket}` : hostStyle(storage);
    const asked = { Origin: origin, 'Access-Control-Request-Method': 'PUT' };
    const { headers } = await probe(url, agents, { method: 'OPTIONS', headers: asked });
    const allowed = headers['access-control-allow-origin'];
    if (allowed === origin || allowed === '*') return `pages of ${origin} may upload`;
    throw new Finding({
      found: `pages of ${origin} may not upload: the bucket has no CORS rule for them`,
      change: `Add a CORS rule to ${storage.bucket}: origin ${origin}, methods GET, PUT and POST, all headers.`,
    });
  }

  private async cleanUp(service: ObjectDoor): Promise<string> {
    for (const key of this.written) await service.delete(key);
    return `${this.written.size} objects deleted again`;
  }
}

const hostStyle = ({ dockEndpoint, bucket }: Storage): string => dockEndpoint.replace('://', `://${bucket}.`);

/**
 * The storage knows who asks, and says no. Ceph says that there is no such key to those who may not know; a signature
 * that is not taken is no refusal of a right.
 */
const isRefusal = (failure: Failure, storage: Storage): boolean =>
  failure.code === 'AccessDenied' ||
  failure.code === 'NoSuchKey' ||
  (failure.status === 403 && diagnoseSignature(failure, storage) === null);
