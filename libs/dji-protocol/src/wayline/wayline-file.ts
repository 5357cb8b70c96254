import { z } from 'zod';
import { httpUrl, md5 } from '../strict.js';
import { name, record, text } from '../tolerant.js';

/** Where a dock fetches a wayline. [Cloud API, flighttask_prepare, file] */
export interface WaylineFile {
  /** http or https; fetched by a plain GET, possibly long after it was sent. */
  readonly url: string;
  /** MD5 of the bytes of the KMZ, in hexadecimal; checked by the device. */
  readonly fingerprint: string;
}

export const decodeWaylineFile = record({ url: name, fingerprint: text });
export const strictWaylineFile = z.object({ url: httpUrl, fingerprint: md5 });
