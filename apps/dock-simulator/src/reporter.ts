import type { DockContext } from './context.js';
import type { FlightReport } from './flight-report.js';
import type { Outbox } from './outbox.js';
import { progressData, type ProgressOverrides } from './progress.js';
import type { StepTable } from './steps.js';
import type { Task } from './tasks.js';

/** A flight as far as it is told. */
export interface Reported {
  readonly task: Task;
  readonly bid: string;
  /** The last status that was told. */
  reported: string;
  lastReportMs: number;
  /** A reboot that kept nothing: the flight goes on in the air and nobody reports it. */
  forgotten: boolean;
}

/** Flights of which a dock remembers that it says nothing about them. */
const MUTED_MAX = 100;
/** [Cloud API, Dock 1] the minutes that a dock allows for giving up: 2 to 10, in steps of two. */
const SETUP_MINUTES = { least: 2, most: 10, step: 2 };
const MINUTE_MS = 60_000;

/** What the dock says about its flights. */
export class Reporter {
  private readonly muted = new Set<string>();

  constructor(
    private readonly context: DockContext,
    private readonly outbox: Outbox,
    private readonly steps: StepTable,
  ) {}

  speaksOf({ task, forgotten }: Reported): boolean {
    return !forgotten && !this.muted.has(task.flightId);
  }

  /** From here on not a word about this flight, not even a repeat of what nobody answered. */
  mute(flightId: string): void {
    this.muted.add(flightId);
    const [oldest] = this.muted;
    if (this.muted.size > MUTED_MAX && oldest !== undefined) this.muted.delete(oldest);
    this.outbox.withdraw(({ method, about }) => method === 'flighttask_progress' && about === flightId);
  }

  progress(mission: Reported, report: FlightReport, overrides: ProgressOverrides = {}): void {
    if (!this.speaksOf(mission)) return;
    const { settings } = this.context;
    const status = overrides.status ?? report.status;
    // [seen on real docks] only a change of the status asks for an answer.
    const needReply = status !== mission.reported;
    mission.reported = status;
    mission.lastReportMs = Date.now();
    const asNumber = this.context.ways.has('number-statuses');
    const data = progressData(report, settings.position, settings.dialect, { ...overrides, asNumber });
    const { bid, task } = mission;
    this.outbox.event({ method: 'flighttask_progress', bid, about: task.flightId, needReply, data });
  }

  /** [Cloud API] 1 enters the state in which a return was given up, 0 leaves it. All examples have the reason as text. */
  returnCanceled(canceled: boolean): void {
    const data = { sn: this.context.settings.sn, action: canceled ? 1 : 0, reason: '0' };
    this.outbox.event({ method: 'device_exit_homing_notify', needReply: true, data });
  }

  /** [Cloud API, Dock 1] the operator may give up, with `flight_setup_abort`, or wait. */
  rtkSlow({ task, bid }: Reported, convergesAfterMs: number): void {
    const { settings, clock, journal } = this.context;
    const { least, most, step } = SETUP_MINUTES;
    const minutes = Math.ceil(convergesAfterMs / (step * MINUTE_MS)) * step;
    const data = {
      sn: settings.sn,
      flight_id: task.flightId,
      timeout_time: Math.min(Math.max(minutes, least), most),
      timestamp: clock.nowMs(),
      flight_type: 1,
    };
    journal.note('fault', { kind: 'rtk-slow', flightId: task.flightId });
    this.outbox.event({ method: 'flight_setup_exception_notify', bid, needReply: true, data });
  }

  /** The report of a task that has no flight yet, or never had one. */
  unstarted(task: Task, status: 'sent' | 'failed' | 'canceled', result: number, batteryPercent: number): FlightReport {
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
      batteryPercent,
    };
  }
}
