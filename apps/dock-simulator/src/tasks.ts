import type { ResumePoint } from './flight-plan.js';
import type { RouteFile } from './download.js';
import { resultCodes } from './result-codes.js';
import type { Route } from './route.js';
import { type Json, numberOf, objectOf, textOf } from './wire.js';

export type TaskType = 'immediate' | 'timed' | 'conditional';

/** A flight that the dock was told about and has not begun. */
export interface Task {
  readonly flightId: string;
  readonly type: TaskType;
  /** Undefined for conditional tasks and for the legacy command. */
  readonly executeTimeMs: number | undefined;
  readonly window: { readonly beginMs: number; readonly endMs: number; readonly batteryAbove: number } | undefined;
  readonly file: RouteFile;
  readonly returnHeightMeters: number;
  readonly resumeAt: ResumePoint | undefined;
  /** Lost in a reboot; then the dock has to ask for it. */
  route: Route | undefined;
  announcedReady: boolean;
}

/** [Cloud API, create task] an immediate task that is older or newer than this by the dock's clock is refused. */
export const IMMEDIATE_TOLERANCE_MS = 30_000;
/** The pages do not say how late a timed `flighttask_execute` may be; the same tolerance is taken. */
export const EXECUTE_TOLERANCE_MS = 30_000;

const taskTypes: readonly TaskType[] = ['immediate', 'timed', 'conditional'];

/** The task in a `flighttask_prepare`, or the code of the refusal. */
export function readTask(data: Json): Task | number {
  const flightId = textOf(data['flight_id']);
  const type = taskTypes[numberOf(data['task_type']) ?? -1];
  const file = readFile(data['file']);
  const executeTimeMs = numberOf(data['execute_time']);
  if (flightId === '' || type === undefined || !file) return resultCodes.badRequest;
  if (type !== 'conditional' && executeTimeMs === undefined) return resultCodes.badRequest;
  const conditions = objectOf(data['ready_conditions']);
  const beginMs = numberOf(conditions['begin_time']);
  const endMs = numberOf(conditions['end_time']);
  if (type === 'conditional' && (beginMs === undefined || endMs === undefined)) return resultCodes.badRequest;
  return {
    flightId,
    type,
    executeTimeMs: type === 'conditional' ? undefined : executeTimeMs,
    window:
      type === 'conditional'
        ? { beginMs: beginMs ?? 0, endMs: endMs ?? 0, batteryAbove: numberOf(conditions['battery_capacity']) ?? 0 }
        : undefined,
    file,
    returnHeightMeters: numberOf(data['rth_altitude']) ?? 50,
    resumeAt: readResumePoint(data['break_point']),
    route: undefined,
    announcedReady: false,
  };
}

/** [Cloud API 1.1] `flighttask_create` names the checksum `sign` and flies at once. */
export function readLegacyTask(data: Json): Task | number {
  const file = readFile(data['file']);
  const flightId = textOf(data['flight_id']);
  if (flightId === '' || !file) return resultCodes.badRequest;
  return {
    flightId,
    type: 'immediate',
    executeTimeMs: undefined,
    window: undefined,
    file,
    returnHeightMeters: 50,
    resumeAt: undefined,
    route: undefined,
    announcedReady: false,
  };
}

export function readFile(value: unknown): RouteFile | undefined {
  const file = objectOf(value);
  const url = textOf(file['url']);
  const fingerprint = textOf(file['fingerprint']) || textOf(file['sign']);
  return url === '' || fingerprint === '' ? undefined : { url, fingerprint };
}

/** Both spellings: the array came under a singular name up to protocol 1.3.1. */
export function readFlightIds(data: Json): string[] {
  const value = data['flight_ids'] ?? data['flight_id'];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  return ids.filter((id): id is string => typeof id === 'string' && id !== '');
}

function readResumePoint(value: unknown): ResumePoint | undefined {
  const point = objectOf(value);
  const index = numberOf(point['index']);
  if (index === undefined) return undefined;
  return { waylineId: numberOf(point['wayline_id']) ?? 0, index, progress: numberOf(point['progress']) ?? 0 };
}

/** Why a prepare is refused by the clock, or 0. */
export function checkPrepareTime(task: Task, nowMs: number): number {
  if (task.window) return nowMs >= task.window.endMs ? resultCodes.expired : resultCodes.ok;
  if (task.executeTimeMs === undefined) return resultCodes.ok;
  const lateMs = nowMs - task.executeTimeMs;
  const tooFar = task.type === 'immediate' ? Math.abs(lateMs) : lateMs;
  return tooFar > IMMEDIATE_TOLERANCE_MS ? resultCodes.expired : resultCodes.ok;
}

/** Why an execute is refused by the clock or the battery, or 0. */
export function checkStart(task: Task, nowMs: number, batteryPercent: number): number {
  if (task.window) {
    if (nowMs <= task.window.beginMs || nowMs >= task.window.endMs) return resultCodes.expired;
    if (batteryPercent <= task.window.batteryAbove) return resultCodes.batteryBelowCondition;
  }
  if (task.type === 'timed' && nowMs - (task.executeTimeMs ?? nowMs) > EXECUTE_TOLERANCE_MS) {
    return resultCodes.executeTooLate;
  }
  return batteryPercent < 30 ? resultCodes.batteryTooLow : resultCodes.ok;
}

/** The dock's bounded memory of prepared tasks. */
export class TaskStore {
  private readonly tasks = new Map<string, Task>();

  constructor(private readonly max: number) {}

  get flightIds(): string[] {
    return [...this.tasks.keys()];
  }

  find(flightId: string): Task | undefined {
    return this.tasks.get(flightId);
  }

  /** False when there is no room, after those that can no longer be flown made some. */
  keep(task: Task, nowMs: number): boolean {
    if (!this.tasks.has(task.flightId) && this.tasks.size >= this.max) {
      for (const [id, known] of this.tasks)
        if (checkPrepareTime(known, nowMs) !== resultCodes.ok) this.tasks.delete(id);
      if (this.tasks.size >= this.max) return false;
    }
    this.tasks.set(task.flightId, task);
    return true;
  }

  /** True when it was there. */
  remove(flightId: string): boolean {
    return this.tasks.delete(flightId);
  }

  clear(): void {
    this.tasks.clear();
  }

  /** Conditional tasks whose conditions hold now and have not been announced. */
  takeReady(nowMs: number, batteryPercent: number): string[] {
    const ready = [...this.tasks.values()].filter(
      (task) => task.window && !task.announcedReady && checkStart(task, nowMs, batteryPercent) === resultCodes.ok,
    );
    for (const task of ready) task.announcedReady = true;
    return ready.map(({ flightId }) => flightId);
  }

  /** What a reboot leaves: all tasks without their routes, which live in fast memory, or nothing. */
  reboot(keepsTasks: boolean): void {
    if (!keepsTasks) this.clear();
    for (const task of this.tasks.values()) task.route = undefined;
  }
}
