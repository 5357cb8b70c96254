import type { Secret } from '@aerie/kernel';

/** Keys for one prefix. They live in memory only. */
export interface IssuedKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  /** By our clock, before the provider was asked: the keys are not older than this. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

export interface UploadKeysAsk {
  /** Ends in a slash; keys work below it and nowhere else. */
  readonly prefix: string;
  readonly lifetimeSeconds: number;
  /** Shown in the provider's own log. */
  readonly sessionName: string;
}

export interface DownloadAsk {
  readonly objectKey: string;
  readonly lifetimeSeconds: number;
  /** When the signature is made; whole seconds. */
  readonly signedAtMs: number;
  /** Makes a browser save the object under this name. */
  readonly saveAs?: string;
  /** For the address that services use; else for that of docks. */
  readonly forService?: boolean;
}

export interface UploadAsk {
  readonly objectKey: string;
  readonly contentType: string;
  /** What is uploaded has exactly so many bytes. */
  readonly sizeBytes: number;
  readonly lifetimeSeconds: number;
  readonly signedAtMs: number;
}

/** How one object may be uploaded, without any key. */
export interface SignedUpload {
  readonly url: string;
  /** For PUT: headers to send. For POST: fields of the form, before the file. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface StoredObject {
  readonly sizeBytes: number;
  readonly etag: string;
}

export interface ListedObject extends StoredObject {
  readonly key: string;
}

/** Objects as somebody with certain keys sees them. Every call may throw what the provider's SDK throws. */
export abstract class ObjectDoor {
  abstract put(key: string, body: Buffer): Promise<void>;
  /** In two parts or more. */
  abstract putInParts(key: string, parts: readonly Buffer[]): Promise<void>;
  abstract head(key: string): Promise<StoredObject>;
  abstract get(key: string): Promise<Buffer>;
  abstract list(prefix: string): Promise<readonly string[]>;
  /** With sizes and tags, in the order of their keys. */
  abstract listObjects(prefix: string, limit: number): Promise<readonly ListedObject[]>;
  /** What is not there is deleted, too. */
  abstract delete(key: string): Promise<void>;
  /** The region that the bucket says it is in; null where it does not say. Fails where the bucket is not there. */
  abstract bucketRegion(): Promise<string | null>;
  abstract stop(): void;
}

/** Keys below a prefix that were made before an instant do nothing any more. */
export interface Denial {
  readonly prefix: string;
  readonly notBefore: Date;
}

/** Whether a provider can call keys back. */
export type DenialSupport = { readonly supported: true } | { readonly supported: false; readonly reason: string };

/** What differs between storages: how keys are made, how addresses are signed, how keys are called back. */
export abstract class StorageProvider {
  abstract readonly denialSupport: DenialSupport;

  /** One call to the provider. @throws UnavailableError when it gives none */
  abstract issueKeys(ask: UploadKeysAsk): Promise<IssuedKeys>;

  /**
   * Replaces all that was called back by this list, under the name of `owner`; null: that of the deployment. Idempotent.
   *
   * @throws UnavailableError when the provider did not take it, whose `details.providerCode` says why
   */
  abstract deny(denials: readonly Denial[], owner: string | null): Promise<void>;

  /** An address that docks can reach. Computation: the storage is not asked. */
  abstract presignGet(ask: DownloadAsk): Promise<string>;
  abstract presignPut(ask: UploadAsk): Promise<SignedUpload>;
  abstract presignPost(ask: UploadAsk): Promise<SignedUpload>;

  /** With our own keys, at the address that we use; with the other style of URLs where that is asked for. */
  abstract asService(options?: { readonly otherStyle?: boolean }): ObjectDoor;
  /** With keys of a dock, at the address that docks use; with the other style of URLs where that is asked for. */
  abstract asDock(keys: IssuedKeys, options?: { readonly otherStyle?: boolean }): ObjectDoor;

  abstract stop(): void;
}
