import { Commands } from './commands.js';
import { type DockContext, makeContext } from './context.js';
import type { Moment, MomentFault } from './fault-words.js';
import { Inquiries } from './inquiries.js';
import { MqttLink } from './link.js';
import { DockLogs } from './logs/dock-logs.js';
import { MediaUploads } from './media/media-uploads.js';
import { type DockView, isWorking } from './osd.js';
import { Outbox } from './outbox.js';
import { Pilot } from './pilot.js';
import { Preflight } from './preflight.js';
import { Properties } from './properties.js';
import { Registration } from './registration.js';
import type { DockOptions } from './settings.js';
import { TaskStore } from './tasks.js';
import { Telemetry } from './telemetry.js';
import { type Incoming, readIncoming, topics } from './wire.js';

const HOUSEKEEPING_MS = 500;

/** One dock with its aircraft: the parts, and what passes between them. */
export class Dock {
  readonly context: DockContext;
  readonly tasks: TaskStore;
  readonly pilot: Pilot;
  readonly outbox: Outbox;
  readonly media: MediaUploads;
  readonly logs: DockLogs;
  private readonly link: MqttLink;
  private readonly inquiries: Inquiries;
  private readonly registration: Registration;
  private readonly telemetry: Telemetry;
  private readonly commands: Commands;
  private readonly properties = new Properties();
  private readonly overrides = new Map<string, unknown>();
  private readonly startedMs = performance.now();
  private readonly weather: DockView['weather'];
  private housekeeping: NodeJS.Timeout | undefined;
  private comeback: NodeJS.Timeout | undefined;
  private session = 0;
  private registered = false;
  private stopped = false;

  constructor(options: DockOptions) {
    this.context = makeContext(options);
    const { settings, prng } = this.context;
    this.weather = {
      windMetersPerSecond: prng.between(0.5, 5),
      temperature: prng.between(5, 25),
      humidity: prng.between(30, 70),
    };
    const publish = (topic: string, payload: string): boolean => this.link.publish(topic, payload);
    this.link = new MqttLink(this.context, {
      onConnected: () => this.connected(),
      onDisconnected: () => this.disconnected(),
      onMessage: (topic, payload) => this.message(topic, payload),
    });
    this.outbox = new Outbox(this.context, publish);
    this.inquiries = new Inquiries(this.context, publish);
    const isCurrent = (session: number): boolean => session === this.session && this.link.connected;
    this.registration = new Registration(this.context, this.inquiries, isCurrent);
    this.media = new MediaUploads(this.context, this.outbox, this.inquiries);
    this.tasks = new TaskStore(settings.tasksMax);
    const reach = (moment: Moment, about: string): void => this.reach(moment, about);
    const preflight = new Preflight(this.context, this.inquiries);
    this.pilot = new Pilot(this.context, this.outbox, preflight, this.media, reach);
    this.logs = new DockLogs(this.context, this.outbox, this.pilot, reach);
    const onPrepared = (flightId: string): void => reach('prepared', flightId);
    this.commands = new Commands(this.context, this.outbox, this.tasks, this.pilot, this.logs, onPrepared);
    const onPower = (powered: boolean): void => this.powerChanged(powered);
    this.telemetry = new Telemetry(this.context, this.outbox, publish, () => this.view(), onPower);
  }

  get linked(): boolean {
    return this.link.connected;
  }

  get online(): boolean {
    return this.registered && this.link.connected;
  }

  get working(): boolean {
    return this.pilot.flightId !== undefined;
  }

  start(): void {
    this.link.open();
    this.housekeeping = setInterval(() => this.keepHouse(), HOUSEKEEPING_MS);
  }

  goOffline(): Promise<void> {
    clearTimeout(this.comeback);
    return this.link.close('abruptly');
  }

  goOnline(): void {
    clearTimeout(this.comeback);
    if (!this.stopped) this.link.open();
  }

  /** The power fails for a moment: memory is lost, settings and media stay, and what was in the air comes home alone. */
  async reboot(): Promise<void> {
    const { settings, journal } = this.context;
    journal.note('reboot', { keepsTasks: settings.keepsTasksOverReboot });
    const closed = this.goOffline();
    this.outbox.forget();
    this.media.reboot();
    this.logs.reboot();
    this.tasks.reboot(settings.keepsTasksOverReboot);
    this.pilot.loseDock(settings.keepsTasksOverReboot);
    this.comeback = setTimeout(() => this.goOnline(), settings.rebootMs);
    await closed;
  }

  setFault(spec: string): void {
    this.changeFaults(() => this.context.faults.set(spec));
  }

  clearFaults(): void {
    this.changeFaults(() => this.context.faults.clear());
  }

  /** What was prepared is gone; what flies is not touched. */
  forgetTasks(): void {
    this.context.journal.note('forgot', { tasks: this.tasks.flightIds.length });
    this.tasks.clear();
  }

  /** Says at once, and from now on, that a property has this value; null takes that back. */
  setProperty(name: string, value: unknown): void {
    if (value === null) this.overrides.delete(name);
    else this.overrides.set(name, value);
    this.telemetry.sayPartWith(name);
  }

  /** A flight that no command asked for. False when the dock is busy. */
  flyForeign(flightId: string, realMs: number): boolean {
    return !this.logs.exporting && this.pilot.flyForeign(flightId, realMs);
  }

  publishRaw(topic: string, payload: string | Buffer): boolean {
    return this.link.publish(topic, payload);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.housekeeping);
    clearTimeout(this.comeback);
    this.pilot.stop();
    this.media.halt();
    this.logs.halt();
    this.telemetry.stop();
    this.outbox.forget();
    this.inquiries.abandon();
    await this.link.close('politely');
    this.context.journal.close();
  }

  private connected(): void {
    this.session += 1;
    this.outbox.resume();
    void this.register(this.session);
  }

  private async register(session: number): Promise<void> {
    if (this.context.ways.has('aircraft-first')) this.telemetry.sayAircraft();
    if (!(await this.registration.run(session))) return;
    this.registered = true;
    this.telemetry.start();
    this.context.journal.note('online');
    this.media.resume();
    this.reach('online', '');
  }

  private disconnected(): void {
    this.session += 1;
    this.registered = false;
    this.telemetry.stop();
    this.media.halt();
    this.inquiries.abandon();
  }

  private message(topic: string, payload: Buffer): void {
    const { sn } = this.context.settings;
    const message = readIncoming(payload);
    if (!message) return;
    switch (topic) {
      case topics.services(sn):
        void this.commands.receive(message);
        return;
      case topics.eventsReply(sn):
        this.outbox.answered(message.tid, message.data);
        return;
      case topics.requestsReply(sn):
      case topics.statusReply(sn):
        this.inquiries.answered(message.tid, message.data);
        return;
      case topics.propertySet(sn):
        this.writeProperty(message);
        return;
    }
  }

  private writeProperty({ tid, bid, data }: Incoming): void {
    const { settings, ways, write } = this.context;
    const gateway = ways.has('no-gateway') ? {} : { gateway: settings.sn };
    const reply = { tid, bid, ...gateway, data: this.properties.set(data) };
    this.link.publish(topics.propertySetReply(settings.sn), write(reply));
    this.telemetry.dockStateChanged(this.properties.all);
  }

  private keepHouse(): void {
    this.pilot.charge(HOUSEKEEPING_MS);
    this.telemetry.notice(this.pilot.report);
    if (this.working || this.logs.exporting) return;
    const flightIds = this.tasks.takeReady(this.context.clock.nowMs(), this.pilot.batteryPercent);
    if (flightIds.length === 0) return;
    for (const flightId of flightIds) this.context.journal.note('ready', { flightId });
    this.outbox.event({ method: 'flighttask_ready', needReply: false, data: { flight_ids: flightIds } });
  }

  /** A button that is pressed shows at once. */
  private changeFaults(change: () => void): void {
    const before = this.context.faults.emergencyStopPressed;
    change();
    if (this.context.faults.emergencyStopPressed !== before) this.telemetry.sayPartWith('emergency_stop_state');
  }

  private powerChanged(powered: boolean): void {
    if (this.context.settings.topologyFollowsPower) void this.registration.announce(powered);
  }

  /** `about` is the flight, or the `bid` of the export of logs. */
  private reach(moment: Moment, about: string): void {
    if (moment === 'flying' && this.context.ways.has('silent-homecomer')) this.pilot.mute(about);
    if (moment === 'accepted') this.logs.flightBegins();
    if (moment === 'ended') this.logs.flightEnded();
    const { faults, journal } = this.context;
    for (const fault of faults.at(moment, about)) {
      const subject = moment === 'exporting' ? { bid: about } : { flightId: about };
      journal.note('fault', { kind: fault.kind, at: moment, ...subject });
      this.carryOut(fault, about);
    }
  }

  private carryOut(fault: MomentFault, flightId: string): void {
    switch (fault.kind) {
      case 'reboot':
        void this.reboot();
        return;
      case 'offline':
        void this.goOffline();
        this.comeback = setTimeout(() => this.goOnline(), fault.forMs);
        return;
      case 'takeover':
        this.pilot.takeOver();
        return;
      case 'mute':
        this.pilot.mute(flightId);
        return;
      case 'forget':
        this.forgetTasks();
        return;
    }
  }

  private view(): DockView {
    const { settings, journal } = this.context;
    const flight = this.pilot.report;
    return {
      model: settings.model,
      aircraft: settings.aircraft,
      aircraftSn: settings.aircraftSn,
      position: settings.position,
      flight: isWorking({ flight }) ? flight : undefined,
      opensForTask: this.context.ways.has('early-opener') && this.tasks.flightIds.length > 0,
      batteryPercent: this.pilot.batteryPercent,
      uptimeSeconds: (performance.now() - this.startedMs) / 1_000,
      flightsFlown: journal.flightsFlown.length,
      mediaWaiting: this.media.waitingCount,
      weather: this.weather,
      properties: this.properties.all,
      emergencyStopPressed: this.context.faults.emergencyStopPressed,
      overrides: this.overrides,
    };
  }
}
