import { errorChain } from '@aerie/kernel';
import type { DockContext } from './context.js';
import { fetchRoute } from './download.js';
import { canResumeAt } from './flight-plan.js';
import type { DockLogs } from './logs/dock-logs.js';
import type { Answer, Outbox } from './outbox.js';
import type { Pilot, Verdict } from './pilot.js';
import { resultCodes } from './result-codes.js';
import { RouteError } from './route.js';
import {
  checkPrepareTime,
  checkStart,
  readFlightIds,
  readLegacyTask,
  readTask,
  type Task,
  type TaskStore,
} from './tasks.js';
import { type Incoming, type Json, textOf } from './wire.js';

type Handler = (command: Incoming) => Verdict | Promise<Verdict>;

/** A dock takes task commands one after another; so many may wait. */
const WAITING_MAX = 32;

const just = (result: number): Verdict => ({ result });

/** The `services` a dock knows. Each command gets exactly one answer, unless a fault takes it. */
export class Commands {
  private queue: Promise<void> = Promise.resolve();
  private waiting = 0;
  private readonly handlers: Readonly<Record<string, Handler>>;

  constructor(
    private readonly context: DockContext,
    private readonly outbox: Outbox,
    private readonly tasks: TaskStore,
    private readonly pilot: Pilot,
    private readonly logs: DockLogs,
    private readonly onPrepared: (flightId: string) => void,
  ) {
    const { model } = context.settings;
    this.handlers = {
      flighttask_create: (command) => this.inTurn(() => this.create(command)),
      flighttask_prepare: (command) => this.inTurn(() => this.prepare(readTask(command.data))),
      flighttask_execute: (command) => this.inTurn(() => this.execute(command)),
      flighttask_undo: (command) => this.inTurn(() => this.undo(command.data)),
      flighttask_pause: () => this.pilot.pause(),
      flighttask_recovery: () => this.pilot.resume(),
      return_home: () => this.pilot.returnHome(),
      return_home_cancel: () => this.pilot.cancelReturn(),
      fileupload_list: (command) => this.logs.list(command),
      fileupload_start: (command) => this.logs.start(command),
      fileupload_update: (command) => this.logs.update(command),
      ...(model === 'dock1'
        ? { flight_setup_abort: () => just(this.pilot.abortSetup()) }
        : {
            flighttask_stop: (command) => this.stopFlight(command.data),
            return_specific_home: (command) => this.returnToDock(command.data),
          }),
    };
  }

  /** Carries a command out and answers it. */
  async receive(command: Incoming): Promise<void> {
    const { journal, faults } = this.context;
    const { method, tid, bid, data } = command;
    journal.add(journal.received, { method, tid, bid, data, atMs: Date.now() });
    journal.note('command', { method });
    const fate = faults.fateOf(method);
    if (fate.ignored) {
      journal.note('fault', { kind: 'silent', method });
      return;
    }
    const verdict = fate.refusedWith === undefined ? await this.carryOut(command) : just(fate.refusedWith);
    if (verdict.result !== resultCodes.ok) journal.note('refused', { method, result: verdict.result });
    if (fate.replyLost) journal.note('fault', { kind: 'drop-reply', method });
    else this.outbox.reply(command, answerOf(method, verdict), fate.replyDelayMs);
    if (fate.secondReply) {
      const result = fate.secondReply(verdict.result);
      journal.note('fault', { kind: 'twice-reply', method, result });
      this.outbox.reply(command, answerOf(method, just(result)), fate.replyDelayMs);
    }
    verdict.afterwards?.();
  }

  private async carryOut(command: Incoming): Promise<Verdict> {
    const handler = Object.hasOwn(this.handlers, command.method) ? this.handlers[command.method] : undefined;
    return (await handler?.(command)) ?? just(resultCodes.notSupported);
  }

  private async inTurn(handle: () => Promise<Verdict> | Verdict): Promise<Verdict> {
    if (this.waiting >= WAITING_MAX) return just(resultCodes.busy);
    this.waiting += 1;
    const turn = this.queue.then(handle).finally(() => (this.waiting -= 1));
    this.queue = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  private async prepare(task: Task | number): Promise<Verdict> {
    if (typeof task === 'number') return just(task);
    const nowMs = this.context.clock.nowMs();
    const timing = checkPrepareTime(task, nowMs);
    if (timing !== resultCodes.ok) return just(timing);
    const running = this.pilot.flightId;
    if (running === task.flightId) return just(resultCodes.sameMissionRuns);
    // A later task may be handed over while the dock flies; one for now may not.
    if (running !== undefined && task.type === 'immediate') return just(resultCodes.otherMissionRuns);
    if (this.logs.exporting && task.type === 'immediate') return just(this.logs.busyWith);
    try {
      task.route = await fetchRoute(task.file, this.context.settings);
    } catch (error) {
      if (!(error instanceof RouteError)) throw error;
      this.context.journal.note('refused', { flightId: task.flightId, because: errorChain(error) });
      return just(error.code);
    }
    if (task.resumeAt && !canResumeAt(task.route, task.resumeAt)) return just(resultCodes.breakPointInvalid);
    if (!this.tasks.keep(task, nowMs)) return just(resultCodes.taskStoreFull);
    this.context.journal.note('prepared', { flightId: task.flightId, type: task.type });
    return { result: resultCodes.ok, afterwards: () => this.onPrepared(task.flightId) };
  }

  private async create(command: Incoming): Promise<Verdict> {
    const prepared = await this.prepare(readLegacyTask(command.data));
    if (prepared.result !== resultCodes.ok) return prepared;
    const started = this.execute(command);
    if (started.result !== resultCodes.ok) this.tasks.remove(textOf(command.data['flight_id']));
    return {
      result: started.result,
      afterwards: () => {
        prepared.afterwards?.();
        started.afterwards?.();
      },
    };
  }

  private execute(command: Incoming): Verdict {
    const flightId = textOf(command.data['flight_id']);
    const running = this.pilot.flightId;
    if (running === flightId) return just(resultCodes.sameMissionRuns);
    if (running !== undefined) return just(resultCodes.otherMissionRuns);
    if (this.logs.exporting) return just(this.logs.busyWith);
    if (this.context.faults.emergencyStopPressed) return just(resultCodes.emergencyStop);
    const task = this.tasks.find(flightId);
    if (!task) return just(resultCodes.unknownTask);
    const start = checkStart(task, this.context.clock.nowMs(), this.pilot.batteryPercent);
    if (start !== resultCodes.ok) return just(start);
    this.tasks.remove(flightId);
    this.pilot.claim(task, command.bid);
    return { result: resultCodes.ok, afterwards: () => this.pilot.start() };
  }

  private stopFlight(data: Json): Verdict {
    const flightId = textOf(data['flight_id']);
    return flightId === '' ? just(resultCodes.badRequest) : this.pilot.stopFlight(flightId);
  }

  /** The other dock's place is not known here; in the simulation the aircraft comes down on its own pad all the same. */
  private returnToDock(data: Json): Verdict {
    const homeDockSn = textOf(data['home_dock_sn']);
    return homeDockSn === '' ? just(resultCodes.badRequest) : this.pilot.returnHome(homeDockSn);
  }

  private undo(data: Json): Verdict {
    const flightIds = readFlightIds(data);
    if (flightIds.length === 0) return just(resultCodes.badRequest);
    if (flightIds.some((id) => id === this.pilot.flightId)) return just(resultCodes.cannotUndoRunning);
    // One result for the whole batch: success if any was there, or a repeat could not be told from a mistake.
    const removed = flightIds.filter((id) => this.tasks.remove(id));
    return just(removed.length > 0 ? resultCodes.ok : resultCodes.unknownTask);
  }
}

function answerOf(method: string, { result, body = { result } }: Verdict): Answer {
  const withStatus = method === 'return_home' && result === resultCodes.ok;
  return { result, data: withStatus ? { ...body, output: { status: 'in_progress' } } : body };
}
