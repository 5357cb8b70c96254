import { InvalidError } from '@aerie/kernel';
import { Dock } from './dock.js';
import type { FlightStatus } from './flight-report.js';
import type { Phase } from './flight-plan.js';
import type {
  AnsweredEvent,
  Fact,
  FactName,
  FlownFlight,
  Journal,
  ReceivedCommand,
  SentEvent,
  SentReply,
  UploadedLog,
  UploadedMedia,
} from './journal.js';
import type { LogBoot, LogModule } from './logs/log-boots.js';
import type { DockModel } from './models.js';
import type { DockOptions } from './settings.js';

export interface DockState {
  /** Connected and subscribed: commands arrive. */
  readonly connected: boolean;
  /** Also registered, so telemetry flows. */
  readonly online: boolean;
  readonly mode: 'idle' | 'working';
  readonly preparedTasks: readonly string[];
  readonly flight:
    | {
        readonly flightId: string;
        readonly status: FlightStatus;
        readonly phase: Phase;
        readonly step: number;
        readonly percent: number;
        readonly waypointIndex: number;
        readonly elevationMeters: number;
      }
    | undefined;
  readonly batteryPercent: number;
  readonly unansweredEvents: number;
  /** Files that are not in the storage yet. */
  readonly mediaWaiting: number;
  /** From the accepted command to the end of its last file. */
  readonly exportingLogs: boolean;
}

/** What a test or the program holds of a running dock. Lists grow while it runs; the newest 20,000 entries stay. */
export interface DockHandle {
  readonly sn: string;
  readonly aircraftSn: string;
  readonly model: DockModel;
  readonly seed: number;
  /** Every command that came in, also those that a fault swallowed. */
  readonly received: readonly ReceivedCommand[];
  readonly repliesSent: readonly SentReply[];
  /** Every event on the wire; a repeat is an entry of its own with the same `tid`. */
  readonly eventsSent: readonly SentEvent[];
  readonly answeredEvents: readonly AnsweredEvent[];
  /** Flight ids, in the order of take-off. One flight flown twice shows twice. */
  readonly takeoffs: readonly string[];
  readonly flightsFlown: readonly FlownFlight[];
  /** In the storage; that the cloud was told is in `eventsSent`. */
  readonly mediaUploaded: readonly UploadedMedia[];
  /** Archives of logs in the storage, also when the cloud was told something else. */
  readonly logUploads: readonly UploadedLog[];
  readonly facts: readonly Fact[];
  readonly state: DockState;
  commandsOf(method: string): readonly ReceivedCommand[];
  eventsOf(method: string): readonly SentEvent[];
  /** The logs that the dock has of the aircraft (`0`) or of itself (`3`), oldest first. */
  logBoots(module: LogModule): readonly LogBoot[];
  /** Adds faults, in the words of `--faults`. Throws `InvalidError` when they cannot be read. */
  setFault(spec: string): void;
  clearFaults(): void;
  /**
   * Says this value in its telemetry, at once and from now on, whatever is true; `null` takes that back. It changes what
   * the dock says, not what it does: to have a start refused as well, set a fault.
   */
  setProperty(name: string, value: unknown): void;
  /** Loses all prepared tasks, so that their execute is answered 319003. What flies is not touched. */
  forgetTasks(): void;
  /** Flies and reports a flight that no command asked for, and is busy with it. False when it flies or exports logs. */
  flyForeign(flightId: string, durationMs: number): boolean;
  /** Simulated seconds per real second from here on, also for a flight that has begun. */
  setSpeed(speed: number): void;
  /** A pilot takes over what is in the air. False when nothing is. */
  takeOver(): boolean;
  /** Cuts the connection without a goodbye and stays away. What flies goes on flying. */
  goOffline(): Promise<void>;
  goOnline(): void;
  /** Loses memory and connection; comes back by itself after `rebootMs`. */
  reboot(): Promise<void>;
  /**
   * Waits until a fact has been noted (also before the call, unless `after` says from which `seq` on), or until the
   * predicate holds. Fails after `timeoutMs` with the last facts in its message.
   */
  waitFor(
    what: FactName | ((dock: DockHandle) => boolean),
    timeoutMs: number,
    options?: { readonly after?: number },
  ): Promise<void>;
  /** Says anything under any topic. False when not connected. */
  publishRaw(topic: string, payload: string | Buffer): boolean;
  stop(): Promise<void>;
}

/** Starts a dock. It connects on its own from here on; wait for `online` where that matters. */
export function startDock(options: DockOptions): Promise<DockHandle> {
  // An async boundary, so that bad options reject and never throw past a caller that awaits.
  return Promise.resolve().then(() => {
    const dock = new Dock(options);
    dock.start();
    return new Handle(dock);
  });
}

class Handle implements DockHandle {
  private readonly journal: Journal;

  constructor(private readonly dock: Dock) {
    this.journal = dock.context.journal;
  }

  get sn(): string {
    return this.dock.context.settings.sn;
  }

  get aircraftSn(): string {
    return this.dock.context.settings.aircraftSn;
  }

  get model(): DockModel {
    return this.dock.context.settings.model;
  }

  get seed(): number {
    return this.dock.context.settings.seed;
  }

  get received(): readonly ReceivedCommand[] {
    return this.journal.received;
  }

  get repliesSent(): readonly SentReply[] {
    return this.journal.repliesSent;
  }

  get eventsSent(): readonly SentEvent[] {
    return this.journal.eventsSent;
  }

  get answeredEvents(): readonly AnsweredEvent[] {
    return this.journal.answeredEvents;
  }

  get takeoffs(): readonly string[] {
    return this.journal.takeoffs;
  }

  get flightsFlown(): readonly FlownFlight[] {
    return this.journal.flightsFlown;
  }

  get mediaUploaded(): readonly UploadedMedia[] {
    return this.journal.mediaUploaded;
  }

  get logUploads(): readonly UploadedLog[] {
    return this.journal.logUploads;
  }

  get facts(): readonly Fact[] {
    return this.journal.facts;
  }

  get state(): DockState {
    const { dock } = this;
    const report = dock.pilot.report;
    return {
      connected: dock.linked,
      online: dock.online,
      mode: dock.working ? 'working' : 'idle',
      preparedTasks: dock.tasks.flightIds,
      flight: report && {
        flightId: report.flightId,
        status: report.status,
        phase: report.phase,
        step: report.step,
        percent: report.percent,
        waypointIndex: report.waypointIndex,
        elevationMeters: report.place.elevationMeters,
      },
      batteryPercent: dock.pilot.batteryPercent,
      unansweredEvents: dock.outbox.unansweredCount,
      mediaWaiting: dock.media.waitingCount,
      exportingLogs: dock.logs.exporting,
    };
  }

  commandsOf(method: string): readonly ReceivedCommand[] {
    return this.journal.received.filter((command) => command.method === method);
  }

  eventsOf(method: string): readonly SentEvent[] {
    return this.journal.eventsSent.filter((event) => event.method === method);
  }

  logBoots(module: LogModule): readonly LogBoot[] {
    return [...this.dock.logs.boots.of(module)];
  }

  setFault(spec: string): void {
    this.dock.setFault(spec);
  }

  clearFaults(): void {
    this.dock.clearFaults();
  }

  setProperty(name: string, value: unknown): void {
    this.dock.setProperty(name, value);
  }

  forgetTasks(): void {
    this.dock.forgetTasks();
  }

  flyForeign(flightId: string, durationMs: number): boolean {
    return this.dock.flyForeign(flightId, durationMs);
  }

  setSpeed(speed: number): void {
    if (!(speed > 0)) throw new InvalidError('bad_dock_option', 'speed is above 0');
    this.dock.pilot.speed = speed;
  }

  takeOver(): boolean {
    return this.dock.pilot.takeOver();
  }

  goOffline(): Promise<void> {
    return this.dock.goOffline();
  }

  goOnline(): void {
    this.dock.goOnline();
  }

  reboot(): Promise<void> {
    return this.dock.reboot();
  }

  waitFor(
    what: FactName | ((dock: DockHandle) => boolean),
    timeoutMs: number,
    { after = 0 }: { readonly after?: number } = {},
  ): Promise<void> {
    if (typeof what === 'function') return this.journal.waitUntil(() => what(this), timeoutMs, 'a condition');
    const happened = (): boolean => this.journal.facts.some((fact) => fact.name === what && fact.seq > after);
    return this.journal.waitUntil(happened, timeoutMs, `"${what}"`);
  }

  publishRaw(topic: string, payload: string | Buffer): boolean {
    return this.dock.publishRaw(topic, payload);
  }

  stop(): Promise<void> {
    return this.dock.stop();
  }
}
