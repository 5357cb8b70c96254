import type { DockSettings } from '../settings.js';
import { readStorageAccess, type StorageAccess } from '../storage/storage-access.js';
import { arrayOf, type Json, numberOf, objectOf, textOf } from '../wire.js';
import { AIRCRAFT, isLogModule, type LogModule } from './log-boots.js';

/** What a `fileupload_start` asks for. */
export interface LogOrder {
  readonly access: StorageAccess;
  readonly files: readonly OrderedFile[];
}

export interface OrderedFile {
  readonly module: LogModule;
  readonly key: string;
  readonly bootIndexes: readonly number[];
}

type Device = Pick<DockSettings, 'sn' | 'aircraftSn' | 'dialect'>;

export function deviceOf(module: LogModule, { sn, aircraftSn }: Pick<DockSettings, 'sn' | 'aircraftSn'>): string {
  return module === AIRCRAFT ? aircraftSn : sn;
}

/** Each module once, or undefined when the list is empty or names one that there is not. */
export function readModules(value: unknown): LogModule[] | undefined {
  const modules = arrayOf(value).map(moduleOf);
  const known = modules.filter((module) => module !== undefined);
  return known.length === 0 || known.length < modules.length ? undefined : [...new Set(known)];
}

/** Undefined when it cannot be carried out as it is written. */
export function readOrder(data: Json, device: Device, nowMs: number): LogOrder | undefined {
  const access = readStorageAccess(data);
  const written = arrayOf(objectOf(data['params'])['files']).map(objectOf);
  const files = written.map((file) => readFile(file, device, textOf(data['file_store_dir']), nowMs));
  const readable = files.filter((file) => file !== undefined);
  if (access === undefined || readable.length === 0 || readable.length < files.length) return undefined;
  // One archive for each module: a second one would be told of under the same name.
  if (new Set(readable.map(({ module }) => module)).size < readable.length) return undefined;
  return { access, files: readable };
}

function readFile(file: Json, device: Device, storeDir: string, nowMs: number): OrderedFile | undefined {
  const module = moduleOf(file['module']);
  if (module === undefined) return undefined;
  const boots = arrayOf(file['list']).map((boot) => numberOf(objectOf(boot)['boot_index']));
  const bootIndexes = boots.filter((bootIndex) => bootIndex !== undefined);
  const deviceSn = deviceOf(module, device);
  // [Cloud API 1.3.2] the last version in which the device is named; it may be blank.
  const named = textOf(file['device_sn']);
  const key = device.dialect === 'seed' ? legacyKey(storeDir, deviceSn, nowMs) : textOf(file['object_key']);
  const usable = bootIndexes.length > 0 && bootIndexes.length === boots.length && key !== '';
  if (!usable || (named !== '' && named !== deviceSn)) return undefined;
  return { module, key, bootIndexes: [...new Set(bootIndexes)] };
}

/** [Cloud API 1.3.0] the dock names its objects itself, below a directory. */
function legacyKey(storeDir: string, deviceSn: string, nowMs: number): string {
  if (storeDir === '') return '';
  const day = new Date(nowMs).toISOString().replace(/\D/g, '').slice(0, 14);
  return `${storeDir.replace(/\/$/, '')}/${deviceSn}/log_${day.slice(0, 8)}_${day.slice(8)}.log`;
}

function moduleOf(value: unknown): LogModule | undefined {
  const text = typeof value === 'number' ? String(value) : textOf(value);
  return isLogModule(text) ? text : undefined;
}
