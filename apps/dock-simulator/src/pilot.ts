import type { DockContext } from './context.js';
import type { Moment } from './fault-words.js';
import { Flight } from './flight.js';
import type { FlightReport } from './flight-report.js';
import { durationMs, type FlightPlan, type Phase } from './flight-plan.js';
import { foreignTask } from './foreign-flight.js';
import { onHeartbeat } from './heartbeat.js';
import type { MediaUploads } from './media/media-uploads.js';
import type { Outbox } from './outbox.js';
import type { Preflight } from './preflight.js';
import { type Reported, Reporter } from './reporter.js';
import { resultCodes } from './result-codes.js';
import { type Route, RouteError } from './route.js';
import { type StepTable, stepTableFor } from './steps.js';
import type { Task } from './tasks.js';
import type { Json } from './wire.js';

/** One flight from the accepted command to its terminal message. */
interface Mission extends Reported {
  flight: Flight | undefined;
  /** At the last look, to tell take-off, return and landing. */
  seen: { readonly airborne: boolean; readonly phase: Phase; readonly waitsForRtk: boolean };
  /** Simulated seconds per real second, where it is not the dock's own. */
  readonly speed: number | undefined;
}

/** What a command comes to, and what the dock says about it once the answer is on its way. */
export interface Verdict {
  readonly result: number;
  /** The whole data of the answer, where it is more than the result. */
  readonly body?: Json;
  readonly afterwards?: () => void;
}

const CHARGE_PERCENT_PER_SIMULATED_MS = 1 / 60_000;

/** Flies one mission at a time in compressed time, and reports it as the dock would. */
export class Pilot {
  private mission: Mission | undefined;
  private endTicking: (() => void) | undefined;
  private lastTickMs = 0;
  /** Simulated seconds per real second, of flights and of charging. */
  speed: number;
  private battery: number;
  private readonly steps: StepTable;
  private readonly reporter: Reporter;

  constructor(
    private readonly context: DockContext,
    private readonly outbox: Outbox,
    private readonly preflight: Preflight,
    private readonly media: MediaUploads,
    private readonly onMoment: (moment: Moment, flightId: string) => void,
  ) {
    const { settings } = context;
    this.battery = settings.batteryPercent;
    this.speed = settings.speed;
    this.steps = stepTableFor(settings.model, settings.stepNumbering);
    this.reporter = new Reporter(context, outbox, this.steps);
  }

  get batteryPercent(): number {
    return this.mission?.flight?.report().batteryPercent ?? this.battery;
  }

  get flightId(): string | undefined {
    return this.mission?.task.flightId;
  }

  get flight(): Flight | undefined {
    return this.mission?.flight;
  }

  get report(): FlightReport | undefined {
    return this.mission?.flight?.report();
  }

  /** From here on the dock is busy; the flight begins with `start`, once the answer to the command has left. */
  claim(task: Task, bid: string, speed?: number): void {
    const seen = { airborne: false, phase: 'preparing', waitsForRtk: false } as const;
    this.mission = { task, bid, flight: undefined, reported: '', lastReportMs: 0, seen, forgotten: false, speed };
  }

  /** With `route` nobody is asked for anything before take-off. */
  start(route?: Route): void {
    const mission = this.mission;
    if (!mission) return;
    const { task } = mission;
    this.context.journal.note('accepted', { flightId: task.flightId });
    this.reporter.progress(mission, this.reporter.unstarted(task, 'sent', resultCodes.ok, this.battery));
    this.onMoment('accepted', task.flightId);
    // A fault at that moment may have ended it already.
    if (this.mission === mission) void this.prepareAndFly(mission, route);
  }

  charge(realMs: number): void {
    if (this.mission) return;
    this.battery = Math.min(100, this.battery + realMs * this.speed * CHARGE_PERCENT_PER_SIMULATED_MS);
  }

  pause(): Verdict {
    return this.interrupt((flight) => flight.pause(), 'paused');
  }

  /** `homeDockSn` is of the other dock, when the aircraft is to land there. */
  returnHome(homeDockSn?: string): Verdict {
    const wasCanceled = this.flight?.returnCanceled ?? false;
    const verdict = this.interrupt(
      (flight) => flight.returnHome(),
      'returning',
      homeDockSn === undefined ? {} : { homeDockSn },
    );
    if (verdict.result !== resultCodes.ok || !wasCanceled) return verdict;
    return {
      ...verdict,
      afterwards: () => {
        this.reporter.returnCanceled(false);
        verdict.afterwards?.();
      },
    };
  }

  /** Ends the flight with this id. */
  stopFlight(flightId: string): Verdict {
    const { mission } = this;
    if (!mission || mission.task.flightId !== flightId) return { result: resultCodes.unknownTask };
    const { flight } = mission;
    if (flight) return { result: flight.stop() };
    return {
      result: resultCodes.ok,
      afterwards: () => {
        if (this.mission === mission)
          this.end(mission, this.reporter.unstarted(mission.task, 'canceled', resultCodes.ok, this.battery));
      },
    };
  }

  /** A pilot takes control. False when there is nothing in the air. */
  takeOver(): boolean {
    const { mission } = this;
    const flight = mission?.flight;
    const wasQuiet = flight?.quiet ?? false;
    if (!mission || !flight?.takeOver()) return false;
    const report = flight.report();
    if (!wasQuiet) this.reporter.progress(mission, report, { status: 'in_progress', missionState: 9 });
    this.reporter.progress(mission, report);
    this.context.journal.note('takenOver', { flightId: mission.task.flightId });
    return true;
  }

  /** From here on not a word about this flight. */
  mute(flightId: string): void {
    this.reporter.mute(flightId);
  }

  /** Flies something that no command asked for, so that it takes this long in real time. False when it flies already. */
  flyForeign(flightId: string, realMs: number): boolean {
    if (this.mission) return false;
    const task = foreignTask(flightId, this.context.settings.position);
    this.claim(task, flightId, durationMs(this.planOf(task, task.route)) / realMs);
    this.start(task.route);
    return true;
  }

  resume(): Verdict {
    const mission = this.mission;
    const flight = mission?.flight;
    if (!flight) return { result: resultCodes.finishedCannotResume };
    const result = flight.resume();
    if (result !== resultCodes.ok) return { result };
    const report = flight.report();
    const afterwards = (): void => {
      // [seen on real docks] after a resume the route is entered once more, and then executed.
      this.reporter.progress(mission, report, { missionState: 5 });
      this.reach('resumed', mission.task.flightId);
    };
    return { result, afterwards };
  }

  cancelReturn(): Verdict {
    const result = this.flight?.cancelReturn() ?? resultCodes.cannotCancelReturn;
    if (result !== resultCodes.ok) return { result };
    return { result, afterwards: () => this.reporter.returnCanceled(true) };
  }

  abortSetup(): number {
    return this.mission?.flight?.abortSetup() ?? resultCodes.setupAbortImpossible;
  }

  loseDock(keepsFlight: boolean): void {
    const mission = this.mission;
    if (!mission) return;
    mission.forgotten = !keepsFlight;
    if (mission.flight) mission.flight.loseDock();
    else this.end(mission, this.reporter.unstarted(mission.task, 'failed', resultCodes.systemError, this.battery));
  }

  stop(): void {
    this.endTicking?.();
    this.mission = undefined;
  }

  /** A pause and a return look alike: the route stops, then the job is paused, then silence. */
  private interrupt(
    act: (flight: Flight) => number,
    fact: 'paused' | 'returning',
    detail: Readonly<Record<string, string>> = {},
  ): Verdict {
    const mission = this.mission;
    const flight = mission?.flight;
    if (!flight) return { result: fact === 'paused' ? resultCodes.pausedCannotPause : resultCodes.notAirborne };
    const wasQuiet = flight.quiet;
    const result = act(flight);
    if (result !== resultCodes.ok) return { result };
    const report = flight.report();
    const afterwards = (): void => {
      if (!wasQuiet) this.reporter.progress(mission, report, { status: 'in_progress', missionState: 9 });
      if (flight.quiet) this.reporter.progress(mission, report);
      this.reach(fact, mission.task.flightId, detail);
    };
    return { result, afterwards };
  }

  private async prepareAndFly(mission: Mission, given: Route | undefined): Promise<void> {
    const { task } = mission;
    let route: Route;
    try {
      route = given ?? (await this.askBeforeTakeOff(task));
    } catch (error) {
      const code = error instanceof RouteError ? error.code : resultCodes.kmzProcessingFailed;
      if (this.mission === mission) this.end(mission, this.reporter.unstarted(task, 'failed', code, this.battery));
      return;
    }
    if (this.mission !== mission) return;
    const { faults } = this.context;
    const failsWith = faults.failure();
    const slowRtkMs = this.context.settings.model === 'dock1' ? faults.slowRtkMs() : undefined;
    mission.flight = new Flight({
      ...this.planOf(task, route),
      ...(failsWith === undefined ? {} : { failsWith }),
      ...(slowRtkMs === undefined ? {} : { slowRtkMs }),
    });
    this.lastTickMs = performance.now();
    this.endTicking = onHeartbeat(() => this.tick(mission));
  }

  private async askBeforeTakeOff(task: Task): Promise<Route> {
    const [route] = await Promise.all([this.preflight.routeFor(task), this.preflight.askMaps()]);
    return route;
  }

  private planOf(task: Task, route: Route): FlightPlan {
    return {
      flightId: task.flightId,
      trackId: this.context.newId(),
      home: this.context.settings.position,
      route,
      steps: this.steps,
      returnHeightMeters: task.returnHeightMeters,
      batteryPercent: this.battery,
      ...(task.resumeAt ? { resumeAt: task.resumeAt } : {}),
    };
  }

  private tick(mission: Mission): void {
    const { flight, task } = mission;
    if (!flight || this.mission !== mission) return;
    const now = performance.now();
    let leftMs = (now - this.lastTickMs) * (mission.speed ?? this.speed);
    this.lastTickMs = now;
    if (task.type !== 'timed' || this.context.clock.nowMs() >= (task.executeTimeMs ?? 0)) flight.clearForTakeOff();
    if (this.context.faults.emergencyStopPressed) flight.stopForEmergency();
    while (leftMs > 0 && !flight.ended) {
      const step = flight.advance(leftMs);
      leftMs = step.leftMs;
      if (flight.ended) break;
      if (step.changed && !flight.quiet) this.reporter.progress(mission, flight.report());
      this.watch(mission, flight);
    }
    this.context.journal.touch();
    if (flight.ended) {
      this.end(mission, flight.report());
      return;
    }
    const dueMs = mission.lastReportMs + this.context.settings.progressIntervalMs;
    if (!flight.quiet && Date.now() >= dueMs) this.reporter.progress(mission, flight.report());
  }

  private watch(mission: Mission, flight: Flight): void {
    const { seen, task } = mission;
    mission.seen = { airborne: flight.airborne, phase: flight.phase, waitsForRtk: flight.waitsForRtk };
    if (!seen.waitsForRtk && flight.waitsForRtk) this.reporter.rtkSlow(mission, flight.slowRtkMs ?? 0);
    if (!seen.airborne && flight.airborne) this.tookOff(task.flightId);
    if (seen.airborne && !flight.airborne) this.reach('landed', task.flightId);
    // A return by command was told when the command came.
    const turned = seen.phase !== 'returning' && flight.phase === 'returning';
    if (turned && !flight.quiet) this.reach('returning', task.flightId);
  }

  private tookOff(flightId: string): void {
    const { journal } = this.context;
    journal.add(journal.takeoffs, flightId);
    journal.note('takeOff', { flightId });
    this.onMoment('flying', flightId);
  }

  private reach(
    fact: 'landed' | 'returning' | 'paused' | 'resumed',
    flightId: string,
    detail: Readonly<Record<string, string>> = {},
  ): void {
    this.context.journal.note(fact, { flightId, ...detail });
    if (fact !== 'resumed') this.onMoment(fact, flightId);
  }

  private end(mission: Mission, report: FlightReport): void {
    const { journal, settings } = this.context;
    const { flightId } = mission.task;
    if (mission.flight) this.battery = report.batteryPercent;
    this.reporter.progress(mission, report);
    this.endTicking?.();
    this.endTicking = undefined;
    this.mission = undefined;
    const { status, result, mediaCount } = report;
    if (mission.flight) journal.add(journal.flightsFlown, { flightId, status, result, mediaCount });
    const reported = this.reporter.speaksOf(mission);
    journal.note('ended', { flightId, status, result, reported });
    // Of a flight on which it keeps silent, it uploads nothing either.
    if (reported && mission.flight) this.media.take(flightId, mission.flight.photos);
    if (settings.extraEvents && reported && mission.flight) {
      const extra = { bid: mission.bid, data: { flight_id: flightId }, needReply: true };
      this.outbox.event({ method: 'highest_priority_upload_flighttask_media', ...extra });
      this.outbox.event({ method: 'uom_fly_data_info', ...extra });
    }
    this.onMoment('ended', flightId);
  }
}
