import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Principal } from '@aerie/bus-contract';
import { InvalidError, UnavailableError } from '@aerie/kernel';
import yazl from 'yazl';
import { type DownloadFile, mustBeThere, nameOf } from './download-file.js';
import { type FileRow, fileView } from './file.read-model.js';
import type { ReadObject } from './read-object.js';

/** What a person can send to somebody's support: more is for the storage itself. */
const MAX_BUNDLE_BYTES = 4 * 1024 * 1024 * 1024;
/** Each keeps a connection to the storage and one to its reader for as long as the slower of them takes. */
const MAX_OPEN = 8;

/** A ZIP of archives with a manifest of what they are, for the support of the vendor. */
export class WriteBundle {
  private open_ = 0;

  constructor(
    private readonly downloadFile: DownloadFile,
    private readonly readObject: ReadObject,
  ) {}

  /**
   * The ZIP as a stream: one archive after the other is read from the storage while it is sent, none is held in memory.
   * Throws before the first byte when an archive is gone; one that fails later ends the stream with the error.
   */
  async open(caller: Principal, files: readonly FileRow[]): Promise<Readable> {
    const sizeBytes = files.reduce((sum, { size_bytes }) => sum + Number(size_bytes), 0);
    if (sizeBytes > MAX_BUNDLE_BYTES) {
      const message = `holds ${sizeBytes} bytes; a bundle holds ${MAX_BUNDLE_BYTES} at most, download the files one by one`;
      throw new InvalidError('bundle_too_large', `the bundle ${message}`, { fields: [{ field: 'fileIds', message }] });
    }
    if (this.open_ >= MAX_OPEN)
      throw new UnavailableError('too_many_bundles', 'too many bundles are packed now, try again');
    this.open_++;
    const zip = new yazl.ZipFile();
    const output = zip.outputStream as Readable;
    const reading = new AbortController();
    output.once('close', () => {
      this.open_--;
      reading.abort();
    });
    try {
      for (const file of files) mustBeThere(file, 'fileIds');
      // Addresses live for minutes and a bundle may take longer: each is made when its turn comes, the first one now, so
      // that a caller is told when there are none to be had.
      const [first] = files;
      let made = first === undefined ? undefined : await this.downloadFile.forBundle(caller, first);
      const addressOf = async (file: FileRow): Promise<string> => {
        const { url } = made ?? (await this.downloadFile.forBundle(caller, file));
        made = undefined;
        return url;
      };
      zip.addBuffer(Buffer.from(JSON.stringify(manifestOf(files), null, 2)), 'manifest.json');
      const open = async (file: FileRow): Promise<Readable> =>
        this.readObject.open(await addressOf(file), file.object_key, reading.signal);
      void addAll(zip, files, open, reading.signal).catch((error: unknown) =>
        output.destroy(error instanceof Error ? error : new Error(String(error))),
      );
      return output;
    } catch (error) {
      output.destroy();
      throw error;
    }
  }
}

async function addAll(
  zip: yazl.ZipFile,
  files: readonly FileRow[],
  open: (file: FileRow) => Promise<Readable>,
  signal: AbortSignal,
): Promise<void> {
  for (const file of files) {
    // The reader of the bundle decides how long it takes; when he goes, the reading ends.
    const content = await open(file);
    // A reader who goes ends the wait below first, and the content afterwards: then nobody hears its error.
    content.on('error', () => undefined);
    // Logs are packed already.
    zip.addReadStream(content, pathOf(file), { compress: false, mtime: file.stored_at });
    await once(content, 'end', { signal });
  }
  zip.end();
}

const pathOf = (file: FileRow): string => `${file.dock_sn}/${file.id}/${nameOf(file)}`;

const manifestOf = (files: readonly FileRow[]) => ({
  about: 'Logs of drone docks, as they were verified in the storage.',
  files: files.map((file) => ({ path: pathOf(file), ...fileView(file) })),
});
