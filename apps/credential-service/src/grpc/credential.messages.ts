import { type Message, defined, enumName, isoOf, only, timestampOf, wordOf } from '@aerie/grpc-api';
import type { DoctorReport } from '../doctor/doctor.schema.js';
import type { IssueView } from '../ledger/issue.schema.js';
import type { RevocationView } from '../revocation/revocation.schema.js';
import { PROVIDERS } from '../storages/storage.js';
import { storageInput } from '../storages/storage.input.js';
import type { StorageView } from '../storages/storage.schema.js';
import type { Upload } from '../uploads/upload.schema.js';

const KINDS = ['keys', 'download', 'upload'] as const;
const METHODS = ['PUT', 'POST'] as const;

/** Of `NewStorage`, but for its provider. */
const STORAGE_FIELDS = Object.keys(storageInput.shape).filter((name) => name !== 'provider');

/** The body that HTTP would have got, for the same checks. */
export function bodyOfStorage(value: unknown): Message {
  const message = (value ?? {}) as Message;
  return defined({
    ...only(message, ...STORAGE_FIELDS),
    provider: wordOf('STORAGE_PROVIDER', PROVIDERS, message['provider']),
  });
}

/** The query that HTTP would have got. */
export function queryOfIssues(message: Message): Message {
  return defined({
    ...only(message, 'dockSn', 'accessKeyId', 'prefix'),
    kind: wordOf('ISSUE_KIND', KINDS, message['kind']),
    from: isoOf(message['from']),
    until: isoOf(message['until']),
    limit: message['pageSize'],
    cursor: message['pageToken'],
  });
}

export const bodyOfUpload = (message: Message): Message =>
  defined({
    ...only(message, 'name', 'contentType', 'sizeBytes', 'lifetimeSeconds'),
    method: wordOf('UPLOAD_METHOD', METHODS, message['method']),
  });

export const storageMessage = (view: StorageView): Message =>
  defined({
    ...view,
    chosenBy: enumName('CHOSEN_BY', view.chosenBy),
    provider: enumName('STORAGE_PROVIDER', view.provider),
    revocationSupported: view.revocation.supported,
    revocationReason: view.revocation.reason,
    revocation: undefined,
  });

export const issueMessage = (view: IssueView): Message =>
  defined({
    ...view,
    kind: enumName('ISSUE_KIND', view.kind),
    provider: enumName('STORAGE_PROVIDER', view.provider),
    issuedAt: timestampOf(view.issuedAt),
    expiresAt: timestampOf(view.expiresAt),
  });

export const revocationMessage = (view: RevocationView): Message =>
  defined({
    ...view,
    state: enumName('REVOCATION_STATE', view.state),
    notBefore: timestampOf(view.notBefore),
    revokedAt: timestampOf(view.revokedAt),
    deniedAt: timestampOf(view.deniedAt),
    untold: view.untold.map((one) => ({ ...one, keysUntil: timestampOf(one.keysUntil) })),
  });

export const reportMessage = (report: DoctorReport): Message => ({
  ...report,
  chosenBy: enumName('CHOSEN_BY', report.chosenBy),
  startedAt: timestampOf(report.startedAt),
  steps: report.steps.map((step) => defined({ ...step, verdict: enumName('STEP_VERDICT', step.verdict) })),
});

export const uploadMessage = (upload: Upload): Message => ({
  ...upload,
  method: enumName('UPLOAD_METHOD', upload.method),
  expiresAt: timestampOf(upload.expiresAt),
});
