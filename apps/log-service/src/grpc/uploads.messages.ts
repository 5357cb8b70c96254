import { type Message, defined, enumName, isoOf, only, timestampOf } from '@aerie/grpc-api';
import { STATES } from '@aerie/log-core';
import type { FileReadModel, FileView } from '../files/file.read-model.js';
import type { AskForList } from '../listings/ask-for-list.js';
import type { UploadReadModel } from '../uploads/store/upload.read-model.js';
import type { UploadView, causeView } from '../uploads/store/upload.view.js';
import { moduleOf, modulesOf, pageOf, selectionOf, wordsOf } from './requests.js';

export type UploadDetailView = NonNullable<Awaited<ReturnType<UploadReadModel['find']>>>;
export type ListingView = Awaited<ReturnType<AskForList['execute']>>;
export type UsageView = Awaited<ReturnType<FileReadModel['usage']>>[number];
type CauseView = ReturnType<typeof causeView>;

/** The body that HTTP would have got, for the same checks. */
export const bodyOfListing = (message: Message): Message => defined({ modules: modulesOf(message['modules']) });

/** The body that HTTP would have got. */
export function bodyOfUpload(value: unknown): Message {
  const message = (value ?? {}) as Message;
  const files = (message['files'] ?? []) as readonly Message[];
  return defined({
    ...only(message, 'dockSn', 'missionId'),
    ...selectionOf(message),
    files:
      files.length === 0
        ? undefined
        : files.map((file) => defined({ ...only(file, 'bootIndex'), module: moduleOf(file['module']) })),
  });
}

/** The query that HTTP would have got. */
export const queryOfUploads = (message: Message): Message =>
  defined({
    ...only(message, 'dockSn', 'missionId', 'campaignId'),
    ...pageOf(message),
    state: wordsOf('UPLOAD_STATE', STATES, message['states'])?.join(','),
  });

/** The query that HTTP would have got. */
export const queryOfFiles = (message: Message): Message =>
  defined({
    ...only(message, 'dockSn', 'uploadId', 'missionId'),
    ...pageOf(message),
    module: moduleOf(message['module']),
    from: isoOf(message['from']),
    until: isoOf(message['until']),
    deleted: message['deleted'] === true ? 'true' : undefined,
  });

export const listingMessage = (view: ListingView): Message => ({
  ...view,
  listedAt: timestampOf(view.listedAt),
  modules: view.modules.map(({ module, problem, files }) =>
    defined({
      module: moduleName(module),
      problem: causeMessage(problem),
      files: files.map((file) =>
        defined({ ...file, startAt: timestampOf(file.startAt), endAt: timestampOf(file.endAt) }),
      ),
    }),
  ),
});

export function uploadMessage(view: UploadView | UploadDetailView): Message {
  const { attempts = [], fileIds = [] } = view as Partial<UploadDetailView>;
  return defined({
    ...view,
    origin: enumName('UPLOAD_ORIGIN', view.origin),
    files: (view.files ?? []).map((file) => ({ ...file, module: moduleName(file.module) })),
    window: windowMessage(view.window),
    latest: latestMessage(view.latest),
    state: enumName('UPLOAD_STATE', view.state),
    archives: view.archives.map((archive) =>
      defined({
        ...archive,
        module: moduleName(archive.module),
        state: enumName('ARCHIVE_STATE', archive.state),
        problem: causeMessage(archive.problem),
      }),
    ),
    cause: causeMessage(view.cause),
    deadline: timestampOf(view.deadline),
    nextActionAt: timestampOf(view.nextActionAt),
    createdAt: timestampOf(view.createdAt),
    updatedAt: timestampOf(view.updatedAt),
    attempts: attempts.map(({ number, startedAt, endedAt, cause }) =>
      defined({
        number,
        startedAt: timestampOf(startedAt),
        endedAt: timestampOf(endedAt),
        cause: causeMessage(cause),
      }),
    ),
    fileIds,
  });
}

export const fileMessage = (view: FileView): Message =>
  defined({
    ...view,
    module: moduleName(view.module),
    verifiedBy: enumName('PROOF', view.verifiedBy),
    storedAt: timestampOf(view.storedAt),
    deletedAt: timestampOf(view.deletedAt),
  });

export const usageMessage = (view: UsageView): Message => ({ ...view, lastStoredAt: timestampOf(view.lastStoredAt) });

export const windowMessage = (window: UploadView['window']): Message | null =>
  window && {
    from: timestampOf(window.from),
    until: timestampOf(window.until),
    modules: window.modules.map(moduleName),
  };

export const latestMessage = (latest: UploadView['latest']): Message | null =>
  latest && { ...latest, modules: latest.modules.map(moduleName) };

export const moduleName = (module: string): string => enumName('LOG_MODULE', module);

const causeMessage = (cause: CauseView): Message | null => cause && defined(cause);
