import type { DockContext } from './context.js';
import type { FlightReport } from './flight-report.js';
import { aircraftKey, aircraftOsd, dockOsdPart, type DockView, OSD_PARTS, partWith } from './osd.js';
import type { Outbox } from './outbox.js';
import { type Json, topics } from './wire.js';

/** An aircraft repeats a `state` message so often at most, unless a newer value comes. */
const STATE_REPEATS_MAX = 5;

/** Speaks without being asked: OSD in a fixed rhythm, `state` when something changed, health notices now and then. */
export class Telemetry {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly repeats = new Map<string, NodeJS.Timeout>();
  private part = 0;
  private powered = false;
  private lastModeReason = -1;

  constructor(
    private readonly context: DockContext,
    private readonly outbox: Outbox,
    private readonly publish: (topic: string, payload: string) => boolean,
    private readonly view: () => DockView,
    private readonly onPower: (powered: boolean) => void,
  ) {}

  start(): void {
    if (this.timers.length > 0) return;
    const { osdIntervalMs, hmsIntervalMs } = this.context.settings;
    this.dockState();
    this.cycle();
    this.timers.push(setInterval(() => this.cycle(), osdIntervalMs / OSD_PARTS));
    if (hmsIntervalMs > 0) this.timers.push(setInterval(() => this.health(), hmsIntervalMs));
  }

  stop(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    for (const timer of this.repeats.values()) clearTimeout(timer);
    this.repeats.clear();
    this.powered = false;
    this.lastModeReason = -1;
  }

  /** The aircraft was switched on or off, or changed what it is doing: not in the rhythm, but at once. */
  notice(flight: FlightReport | undefined): void {
    if (this.timers.length === 0) return;
    const powered = flight?.aircraftPowered ?? false;
    if (powered !== this.powered) {
      this.powered = powered;
      this.onPower(powered);
      if (powered) this.aircraftState();
    }
    if (flight && powered) {
      // 21 says that the return was canceled, 0 that nothing special is the reason.
      const reason = flight.phase === 'hovering' ? 21 : 0;
      if (reason !== this.lastModeReason) this.sayState('mode_code_reason', reason);
      this.lastModeReason = reason;
    }
  }

  /** A dock property changed. */
  dockStateChanged(changed: Json): void {
    const { settings } = this.context;
    this.publish(topics.state(settings.sn), this.message(changed));
  }

  /** Sends the part of the telemetry that holds this property, out of its turn. */
  sayPartWith(property: string): void {
    if (this.timers.length === 0) return;
    const view = this.view();
    const position = partWith(view, property);
    this.publish(topics.osd(this.context.settings.sn), this.message(dockOsdPart(view, position)));
    this.context.journal.touch();
  }

  /** What an aircraft says that was switched on before its dock is registered. */
  sayAircraft(): void {
    const { position, aircraftSn } = this.context.settings;
    const { latitude, longitude, heightMeters: height } = position;
    this.publish(topics.osd(aircraftSn), this.message({ mode_code: 0, latitude, longitude, height }));
    this.publish(topics.state(aircraftSn), this.message({ firmware_version: '10.01.1606' }));
  }

  private cycle(): void {
    const { sn, aircraftSn } = this.context.settings;
    const { ways } = this.context;
    const view = this.view();
    this.notice(view.flight);
    const sayAircraft = (): void => {
      // Once a cycle, between the dock's own messages.
      if (this.part % OSD_PARTS !== 1 || view.flight?.aircraftPowered !== true) return;
      this.publish(topics.osd(aircraftSn), this.message(aircraftOsd(view, view.flight)));
    };
    if (ways.has('aircraft-first')) sayAircraft();
    this.publish(topics.osd(sn), this.message(dockOsdPart(view, this.part)));
    if (!ways.has('aircraft-first')) sayAircraft();
    this.part += 1;
    this.context.journal.touch();
  }

  private dockState(): void {
    const { model } = this.context.settings;
    this.dockStateChanged({ firmware_version: model === 'dock1' ? '01.04.0200' : '10.01.1606' });
    this.dockStateChanged({ firmware_upgrade_status: 0, compatible_status: 0 });
    this.dockStateChanged({ live_status: [], live_capacity: { available_video_number: 0, device_list: [] } });
    this.dockStateChanged({ ...this.view().properties });
  }

  private aircraftState(): void {
    const { position, sn } = this.context.settings;
    this.sayState('firmware_version', '10.01.1606');
    this.sayState('control_source', 'A');
    this.sayState('home_latitude', position.latitude);
    this.sayState('home_longitude', position.longitude);
    this.sayState('best_link_gateway', sn);
  }

  /** [seen on real docks] asks for an answer, and goes on repeating whether it gets one or not. */
  private sayState(property: string, value: unknown): void {
    const { settings, ways, write, newId } = this.context;
    clearTimeout(this.repeats.get(property));
    const ids = { tid: newId(), bid: newId() };
    const say = (repeat: number): void => {
      const message = {
        ...ids,
        gateway: settings.sn,
        needReply: true,
        data: { [property]: value },
        isProperties: true,
      };
      this.publish(topics.state(settings.aircraftSn), write(message));
      if (repeat >= STATE_REPEATS_MAX && !ways.has('repeating-state')) {
        this.repeats.delete(property);
        return;
      }
      const schedule = settings.stateResendScheduleMs;
      const waitMs = schedule[Math.min(repeat, schedule.length - 1)] ?? 8_200;
      this.repeats.set(
        property,
        setTimeout(() => say(repeat + 1), waitMs),
      );
    };
    say(0);
  }

  /** The whole list each time; an empty one clears. */
  private health(): void {
    const { settings, prng } = this.context;
    const view = this.view();
    const troubled = prng.chance(settings.alarmPercent / 100);
    const alarm = {
      level: 1,
      module: 3,
      in_the_sky: view.flight?.airborne === true ? 1 : 0,
      code: '0x12040001',
      device_type: aircraftKey(settings.aircraft),
      imminent: 0,
    };
    const list = troubled ? [0, 1].map((part) => ({ ...alarm, args: { component_index: part, sensor_index: 0 } })) : [];
    this.outbox.event({ method: 'hms', needReply: false, data: { list } });
    if (view.flight?.aircraftPowered === true) {
      this.outbox.event({ method: 'hms', needReply: false, data: { list: [] }, sn: settings.aircraftSn });
    }
  }

  private message(data: Json): string {
    const { settings, write, newId } = this.context;
    return write({ tid: newId(), bid: newId(), gateway: settings.sn, data, isProperties: true });
  }
}
