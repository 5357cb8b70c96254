import type { DockContext } from './context.js';
import type { Moment } from './faults.js';
import { Flight } from './flight.js';
import type { FlightReport } from './flight-report.js';
import type { Phase } from './flight-plan.js';
import type { Outbox } from './outbox.js';
import type { Preflight } from './preflight.js';
import { progressData, type ProgressOverrides } from './progress.js';
import { resultCodes } from './result-codes.js';
import { type Route, RouteError } from './route.js';
import { type StepTable, stepTableFor } from './steps.js';
import type { Task } from './tasks.js';

/** One flight from the accepted command to its terminal message. */
interface Mission {
  readonly task: Task;
  readonly bid: string;
  flight: Flight | undefined;
  reported: string;
  lastReportMs: number;
  /** At the last look, to tell take-off, return and landing. */
  seen: { readonly airborne: boolean; readonly phase: Phase };
  /** A reboot that kept nothing: the flight goes on in the air and nobody reports it. */
  forgotten: boolean;
}

/** What a command comes to, and what the dock says about it once the answer is on its way. */
export interface Verdict {
  readonly result: number;
  readonly afterwards?: () => void;
}

const TICK_MS = 25;
const CHARGE_PERCENT_PER_SIMULATED_MS = 1 / 60_000;

/** Flies one mission at a time in compressed time, and reports it as the dock would. */
export class Pilot {
  private mission: Mission | undefined;
  private ticker: NodeJS.Timeout | undefined;
  private lastTickMs = 0;
  private battery: number;
  private readonly steps: StepTable;

  constructor(
    private readonly context: DockContext,
    private readonly outbox: Outbox,
    private readonly preflight: Preflight,
    private readonly onMoment: (moment: Moment, flightId: string) => void,
  ) {
    const { settings } = context;
    this.battery = settings.batteryPercent;
    this.steps = stepTableFor(settings.model, settings.stepNumbering);
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
  claim(task: Task, bid: string): void {
    const seen = { airborne: false, phase: 'preparing' } as const;
    this.mission = { task, bid, flight: undefined, reported: '', lastReportMs: 0, seen, forgotten: false };
  }

  start(): void {
    const mission = this.mission;
    if (!mission) return;
    const { task } = mission;
    this.context.journal.note('accepted', { flightId: task.flightId });
    this.progress(mission, this.unstarted(task, 'sent', resultCodes.ok));
    this.onMoment('accepted', task.flightId);
    // A fault at that moment may have ended it already.
    if (this.mission === mission) void this.prepareAndFly(mission);
  }

  charge(realMs: number): void {
    if (this.mission) return;
    this.battery = Math.min(100, this.battery + realMs * this.context.settings.speed * CHARGE_PERCENT_PER_SIMULATED_MS);
  }

  pause(): Verdict {
    return this.interrupt((flight) => flight.pause(), 'paused');
  }

  returnHome(): Verdict {
    return this.interrupt((flight) => flight.returnHome(), 'returning');
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
      this.progress(mission, report, { missionState: 5 });
      this.reach('resumed', mission.task.flightId);
    };
    return { result, afterwards };
  }

  cancelReturn(): number {
    return this.mission?.flight?.cancelReturn() ?? resultCodes.cannotCancelReturn;
  }

  abortSetup(): number {
    return this.mission?.flight?.abortSetup() ?? resultCodes.setupAbortImpossible;
  }

  loseDock(keepsFlight: boolean): void {
    const mission = this.mission;
    if (!mission) return;
    mission.forgotten = !keepsFlight;
    if (mission.flight) mission.flight.loseDock();
    else this.end(mission, this.unstarted(mission.task, 'failed', resultCodes.systemError));
  }

  stop(): void {
    clearInterval(this.ticker);
    this.mission = undefined;
  }

  /** A pause and a return look alike: the route stops, then the job is paused, then silence. */
  private interrupt(act: (flight: Flight) => number, fact: 'paused' | 'returning'): Verdict {
    const mission = this.mission;
    const flight = mission?.flight;
    if (!flight) return { result: fact === 'paused' ? resultCodes.pausedCannotPause : resultCodes.notAirborne };
    const wasQuiet = flight.quiet;
    const result = act(flight);
    if (result !== resultCodes.ok) return { result };
    const report = flight.report();
    const afterwards = (): void => {
      if (!wasQuiet) this.progress(mission, report, { status: 'in_progress', missionState: 9 });
      if (flight.quiet) this.progress(mission, report);
      this.reach(fact, mission.task.flightId);
    };
    return { result, afterwards };
  }

  private async prepareAndFly(mission: Mission): Promise<void> {
    const { settings, faults, newId } = this.context;
    const { task } = mission;
    let route: Route;
    try {
      [route] = await Promise.all([this.preflight.routeFor(task), this.preflight.askMaps()]);
    } catch (error) {
      const code = error instanceof RouteError ? error.code : resultCodes.kmzProcessingFailed;
      if (this.mission === mission) this.end(mission, this.unstarted(task, 'failed', code));
      return;
    }
    if (this.mission !== mission) return;
    const failsWith = faults.failure();
    mission.flight = new Flight({
      flightId: task.flightId,
      trackId: newId(),
      home: settings.position,
      route,
      steps: this.steps,
      returnHeightMeters: task.returnHeightMeters,
      batteryPercent: this.battery,
      ...(task.resumeAt ? { resumeAt: task.resumeAt } : {}),
      ...(failsWith === undefined ? {} : { failsWith }),
    });
    this.lastTickMs = performance.now();
    this.ticker = setInterval(() => this.tick(mission), TICK_MS);
  }

  private tick(mission: Mission): void {
    const { flight, task } = mission;
    if (!flight || this.mission !== mission) return;
    const now = performance.now();
    let leftMs = (now - this.lastTickMs) * this.context.settings.speed;
    this.lastTickMs = now;
    if (task.type !== 'timed' || this.context.clock.nowMs() >= (task.executeTimeMs ?? 0)) flight.clearForTakeOff();
    while (leftMs > 0 && !flight.ended) {
      const step = flight.advance(leftMs);
      leftMs = step.leftMs;
      if (flight.ended) break;
      if (step.changed && !flight.quiet) this.progress(mission, flight.report());
      this.watch(mission, flight);
    }
    this.context.journal.touch();
    if (flight.ended) {
      clearInterval(this.ticker);
      this.end(mission, flight.report());
      return;
    }
    const dueMs = mission.lastReportMs + this.context.settings.progressIntervalMs;
    if (!flight.quiet && Date.now() >= dueMs) this.progress(mission, flight.report());
  }

  private watch(mission: Mission, flight: Flight): void {
    const { seen, task } = mission;
    mission.seen = { airborne: flight.airborne, phase: flight.phase };
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

  private reach(fact: 'landed' | 'returning' | 'paused' | 'resumed', flightId: string): void {
    this.context.journal.note(fact, { flightId });
    if (fact !== 'resumed') this.onMoment(fact, flightId);
  }

  private end(mission: Mission, report: FlightReport): void {
    const { journal, settings } = this.context;
    const { flightId } = mission.task;
    if (mission.flight) this.battery = report.batteryPercent;
    this.progress(mission, report);
    this.mission = undefined;
    const { status, result, mediaCount } = report;
    if (mission.flight) journal.add(journal.flightsFlown, { flightId, status, result, mediaCount });
    journal.note('ended', { flightId, status, result, reported: !mission.forgotten });
    if (settings.extraEvents && !mission.forgotten && mission.flight) {
      const extra = { bid: mission.bid, data: { flight_id: flightId }, needReply: true };
      this.outbox.event({ method: 'highest_priority_upload_flighttask_media', ...extra });
      this.outbox.event({ method: 'uom_fly_data_info', ...extra });
    }
    this.onMoment('ended', flightId);
  }

  private progress(mission: Mission, report: FlightReport, overrides: ProgressOverrides = {}): void {
    if (mission.forgotten) return;
    const { settings } = this.context;
    const status = overrides.status ?? report.status;
    // [seen on real docks] only a change of the status asks for an answer.
    const needReply = status !== mission.reported;
    mission.reported = status;
    mission.lastReportMs = Date.now();
    const data = progressData(report, settings.position, settings.dialect, overrides);
    this.outbox.event({ method: 'flighttask_progress', bid: mission.bid, needReply, data });
  }

  /** The report of a task that has no flight yet, or never had one. */
  private unstarted(task: Task, status: 'sent' | 'failed', result: number): FlightReport {
    const { settings } = this.context;
    const { latitude, longitude } = settings.position;
    return {
      flightId: task.flightId,
      trackId: '',
      status,
      result,
      phase: status === 'sent' ? 'preparing' : 'ended',
      step: status === 'sent' ? (this.steps.before[0]?.number ?? 0) : this.steps.terminal,
      percent: 0,
      waypointIndex: 0,
      waylineId: undefined,
      missionState: 0,
      mediaCount: 0,
      breakPoint: undefined,
      place: { latitude, longitude, elevationMeters: 0 },
      headingDegrees: 0,
      horizontalSpeed: 0,
      verticalSpeed: 0,
      aircraftMode: 14,
      aircraftPowered: false,
      coverOpen: false,
      airborne: false,
      batteryPercent: this.battery,
    };
  }
}
