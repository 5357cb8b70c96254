import { descentLegs, type FlightPlan, homewardLegs, type Leg, outwardLegs, padOf, type Phase } from './flight-plan.js';
import { between, groundDistanceMeters, headingDegrees, type Place } from './geo.js';
import {
  aircraftModeOf,
  type BreakPoint,
  type FlightReport,
  type FlightStatus,
  missionStateOf,
  percentOf,
} from './flight-report.js';
import { breakReasons, failsInTheAir, resultCodes, ROUTE_ERROR_BASE } from './result-codes.js';

/** A good half hour in the air from full to empty. */
const AIRBORNE_PERCENT_PER_MS = 0.05 / 1_000;
const POWERED_PERCENT_PER_MS = 0.01 / 1_000;
const LOW_BATTERY_PERCENT = 20;
/** So that a falling battery is noticed on a long leg. */
const CHUNK_MS = 10_000;
const airbornePhases: readonly Phase[] = ['takingOff', 'transit', 'route', 'hovering', 'returning', 'landing'];

interface Ending {
  readonly status: FlightStatus;
  readonly result: number;
}

/**
 * One flight in simulated time, without clock, network or chance.
 *
 * INVARIANTS: time moves only in `advance`, and never past a change that a dock would report; an ended flight stays
 * as it ended; a flight that left the ground ends only after it landed.
 */
export class Flight {
  private status: FlightStatus = 'sent';
  private legs: readonly Leg[];
  private cursor = 0;
  private spentMs = 0;
  private homeward = false;
  private hovering = false;
  /** A pilot flies; the dock and the cloud only watch. */
  private byHand = false;
  private cleared = false;
  private everAirborne = false;
  private readonly photosTaken: Place[] = [];
  private battery: number;
  private lastWaypoint = 0;
  private noticed = '';
  private breakPoint: BreakPoint | undefined;
  private ending: Ending = { status: 'ok', result: resultCodes.ok };

  constructor(private readonly plan: FlightPlan) {
    this.legs = outwardLegs(plan);
    this.battery = plan.batteryPercent;
    this.lastWaypoint = this.legs.find(({ waypoint }) => waypoint !== undefined)?.waypoint ?? 0;
  }

  get ended(): boolean {
    return this.status !== 'sent' && this.status !== 'in_progress' && this.status !== 'paused';
  }

  /** Where it took its photos, in their order. */
  get photos(): readonly Place[] {
    return this.photosTaken;
  }

  get airborne(): boolean {
    return airbornePhases.includes(this.phase);
  }

  /** Stopped in the air by the user, or coming home because the user said so: real docks report nothing meanwhile. */
  get quiet(): boolean {
    return this.status === 'paused';
  }

  get phase(): Phase {
    if (this.ended) return 'ended';
    if (this.hovering && this.homeward) return 'hovering';
    return this.waitsForTakeOff ? 'preparing' : (this.leg?.phase ?? 'recovering');
  }

  /** On the pad and ready but for RTK. */
  get waitsForRtk(): boolean {
    return !this.ended && this.leg?.waitsForRtk === true;
  }

  get slowRtkMs(): number | undefined {
    return this.plan.slowRtkMs;
  }

  /** Hovers because its return was canceled. */
  get returnCanceled(): boolean {
    return this.phase === 'hovering';
  }

  /** A timed flight takes off at its time, not when its preparation is over. */
  clearForTakeOff(): void {
    this.cleared = true;
  }

  /** Moves on by at most `ms` and stops at the first change worth a report. Returns the time that is left. */
  advance(ms: number): { readonly leftMs: number; readonly changed: boolean } {
    if (this.ended) return { leftMs: 0, changed: false };
    if (this.status === 'sent') {
      this.status = 'in_progress';
      this.noticeChange();
      return { leftMs: ms, changed: true };
    }
    let leftMs = ms;
    // A command or the clearance may have changed something since the last call.
    while (!this.noticeChange()) {
      if (leftMs <= 0 || this.waitsForTakeOff) return { leftMs: 0, changed: false };
      leftMs -= this.pass(Math.min(leftMs, CHUNK_MS));
    }
    return { leftMs: this.ended ? 0 : leftMs, changed: true };
  }

  /** The answer code of a pause. */
  pause(): number {
    if (this.ended || this.hovering || this.quiet) return resultCodes.pausedCannotPause;
    if (this.phase !== 'transit' && this.phase !== 'route') return resultCodes.cannotPause;
    this.breakPoint = this.breakPointHere(breakReasons.userPause);
    this.hovering = true;
    this.status = 'paused';
    return resultCodes.ok;
  }

  resume(): number {
    if (this.ended) return resultCodes.finishedCannotResume;
    if (!this.hovering || this.homeward) return resultCodes.cannotResume;
    this.hovering = false;
    this.breakPoint = undefined;
    this.status = 'in_progress';
    return resultCodes.ok;
  }

  /** [Cloud API] a return by the user shows as paused until the aircraft has landed, and then as failed. */
  returnHome(): number {
    if (!this.airborne) return resultCodes.notAirborne;
    if (this.byHand) return resultCodes.noFlightControl;
    if (this.homeward) {
      this.hovering = false;
      return resultCodes.ok;
    }
    this.status = 'paused';
    this.turnHome({ status: 'failed', result: resultCodes.userReturn }, breakReasons.userReturn);
    return resultCodes.ok;
  }

  /** The aircraft leaves the route for good and hovers. */
  cancelReturn(): number {
    if (this.byHand) return resultCodes.noFlightControl;
    if (this.phase !== 'returning' || this.ending.result === resultCodes.lowBatteryReturn) {
      return resultCodes.cannotCancelReturn;
    }
    this.hovering = true;
    return resultCodes.ok;
  }

  /** [Cloud API, multi-dock] ends the task: what is in the air comes home first, what is not ends at once. */
  stop(): number {
    if (this.byHand) return resultCodes.noFlightControl;
    const ending: Ending = { status: 'canceled', result: resultCodes.ok };
    if (!this.airborne) {
      this.ending = ending;
      this.status = ending.status;
      return resultCodes.ok;
    }
    this.status = 'in_progress';
    // On its way home already it goes on as it is, and only ends differently; hovering, it has to turn home anew.
    if (this.homeward && !this.hovering) this.ending = ending;
    else this.turnHome(ending, breakReasons.userPause);
    return resultCodes.ok;
  }

  /** Somebody pressed the button on the dock. */
  stopForEmergency(): void {
    const over = this.ended || this.phase === 'recovering';
    if (over || this.byHand || this.ending.result === resultCodes.emergencyStopInFlight) return;
    const ending: Ending = { status: 'failed', result: resultCodes.emergencyStopInFlight };
    if (!this.airborne) this.stayOnGround(ending);
    else if (this.homeward && !this.hovering) this.ending = ending;
    else {
      this.status = 'in_progress';
      this.turnHome(ending, breakReasons.controlTaken);
    }
  }

  /** A pilot takes the aircraft over and lands it by hand. False when there is nothing in the air to take. */
  takeOver(): boolean {
    if (!this.airborne || this.byHand) return false;
    const from = this.place();
    this.breakPoint = this.homeward ? this.breakPoint : this.breakPointHere(breakReasons.controlTaken);
    if (this.breakPoint) this.breakPoint = { ...this.breakPoint, reason: breakReasons.controlTaken };
    this.ending = { status: 'failed', result: resultCodes.controlTaken };
    this.status = 'paused';
    this.byHand = true;
    this.head(descentLegs(this.plan, from));
    return true;
  }

  /** Dock 1 only: gives up while the home point is being set. */
  abortSetup(): number {
    if (this.airborne) return resultCodes.alreadyAirborne;
    if (this.phase !== 'preparing') return resultCodes.setupAbortImpossible;
    this.stayOnGround({ status: 'canceled', result: resultCodes.ok });
    return resultCodes.ok;
  }

  /** The dock is gone. What is in the air comes home by itself; what is not stays. */
  loseDock(): void {
    if (this.ended || this.byHand || this.phase === 'landing' || this.phase === 'recovering') return;
    if (!this.airborne) this.stayOnGround({ status: 'failed', result: resultCodes.systemError });
    else this.turnHome({ status: 'failed', result: resultCodes.returnedAlone }, breakReasons.linkLost);
  }

  report(): FlightReport {
    const leg = this.leg;
    const place = this.place();
    const seconds = (leg?.durationMs ?? 0) / 1_000;
    const still = this.hovering || this.waitsForTakeOff || !leg || seconds === 0;
    const phase = this.phase;
    const powered = !this.ended && (leg?.aircraftPowered ?? false);
    return {
      flightId: this.plan.flightId,
      trackId: this.ended ? '' : this.plan.trackId,
      status: this.status,
      result: this.ended ? this.ending.result : resultCodes.ok,
      phase,
      step: this.stepNumber(),
      percent: percentOf(
        this.status,
        phase,
        this.everAirborne,
        Math.min(this.cursor / this.plan.steps.before.length, 1),
      ),
      waypointIndex: this.plan.route.waypoints[this.lastWaypoint]?.index ?? 0,
      waylineId: this.everAirborne ? this.plan.route.waypoints[this.lastWaypoint]?.waylineId : undefined,
      missionState: missionStateOf(this.status, phase),
      mediaCount: this.photosTaken.length,
      breakPoint: this.breakPoint,
      place,
      headingDegrees: leg ? headingDegrees(leg.from, leg.to) : 0,
      horizontalSpeed: still ? 0 : groundDistanceMeters(leg.from, leg.to) / seconds,
      verticalSpeed: still ? 0 : (leg.to.elevationMeters - leg.from.elevationMeters) / seconds,
      aircraftMode: aircraftModeOf(phase, powered, this.hovering, this.byHand),
      aircraftPowered: powered,
      coverOpen: !this.ended && (leg?.coverOpen ?? false),
      airborne: this.airborne,
      batteryPercent: this.battery,
    };
  }

  private get leg(): Leg | undefined {
    return this.legs[this.cursor];
  }

  private get waitsForTakeOff(): boolean {
    return this.leg?.phase === 'takingOff' && this.spentMs === 0 && !this.cleared;
  }

  /** Lives through at most `ms` of the current leg; returns what it used. */
  private pass(ms: number): number {
    const leg = this.leg;
    if (!leg) {
      this.runOut();
      return 0;
    }
    if (this.waitsForTakeOff) return ms;
    const stopped = this.hovering;
    const usedMs = stopped ? ms : Math.min(ms, leg.durationMs - this.spentMs);
    if (leg.phase === 'takingOff') this.everAirborne = true;
    const drain = this.airborne ? AIRBORNE_PERCENT_PER_MS : leg.aircraftPowered ? POWERED_PERCENT_PER_MS : 0;
    this.battery = Math.max(0, this.battery - usedMs * drain);
    if (!stopped) {
      this.spentMs += usedMs;
      if (leg.waypoint !== undefined) this.lastWaypoint = leg.waypoint;
      if (this.spentMs >= leg.durationMs) this.finish(leg);
    }
    this.meetTrouble();
    return usedMs;
  }

  private finish(leg: Leg): void {
    for (let photo = 0; photo < (leg.photos ?? 0); photo += 1) this.photosTaken.push(leg.to);
    this.cursor += 1;
    this.spentMs = 0;
    if (!this.leg) this.runOut();
  }

  private runOut(): void {
    if (this.homeward) {
      this.status = this.ending.status;
      return;
    }
    const last = this.legs.at(-1)?.to ?? padOf(this.plan.home);
    this.head(homewardLegs(this.plan, last));
  }

  private meetTrouble(): void {
    const phase = this.phase;
    const outbound = phase === 'takingOff' || phase === 'transit' || phase === 'route';
    if (this.battery < LOW_BATTERY_PERCENT && (outbound || phase === 'hovering')) {
      this.turnHome({ status: 'failed', result: resultCodes.lowBatteryReturn }, breakReasons.lowBattery);
      return;
    }
    const code = this.plan.failsWith;
    if (code === undefined || this.homeward) return;
    if (!failsInTheAir(code)) {
      if (this.cursor >= this.plan.steps.before.length - 1) this.stayOnGround({ status: 'failed', result: code });
    } else if (phase === 'route' && this.lastWaypoint >= Math.floor(this.plan.route.waypoints.length / 2)) {
      this.turnHome({ status: 'failed', result: code }, code - ROUTE_ERROR_BASE);
    }
  }

  private turnHome(ending: Ending, reason: number): void {
    // The first interruption says where the route broke off; a pause before it was at the same place.
    this.breakPoint = this.homeward ? this.breakPoint : this.breakPointHere(reason);
    this.ending = ending;
    this.head(homewardLegs(this.plan, this.place()));
  }

  private stayOnGround(ending: Ending): void {
    this.ending = ending;
    this.head(homewardLegs(this.plan, padOf(this.plan.home)).filter((leg) => leg.phase === 'recovering'));
  }

  private head(legs: readonly Leg[]): void {
    this.legs = legs;
    this.cursor = 0;
    this.spentMs = 0;
    this.homeward = true;
    this.hovering = false;
  }

  private place(): Place {
    const leg = this.leg;
    if (!leg) return padOf(this.plan.home);
    return between(leg.from, leg.to, leg.durationMs === 0 ? 1 : this.spentMs / leg.durationMs);
  }

  private breakPointHere(reason: number): BreakPoint {
    const leg = this.leg;
    const { waypoints } = this.plan.route;
    const position = leg?.waypoint ?? this.lastWaypoint;
    const working = leg?.phase === 'route' && leg.photos !== undefined;
    // On the way to a waypoint the index names the segment, and a segment is named by its start.
    const named = waypoints[working ? position : Math.max(position - 1, 0)];
    const fraction = leg && leg.phase === 'route' && !working ? this.spentMs / Math.max(leg.durationMs, 1) : 0;
    return {
      waylineId: named?.waylineId ?? 0,
      index: named?.index ?? 0,
      atWaypoint: working,
      progress: Math.round(fraction * 1_000) / 1_000,
      reason,
      place: this.place(),
      headingDegrees: leg ? headingDegrees(leg.from, leg.to) : 0,
    };
  }

  private stepNumber(): number {
    const { steps } = this.plan;
    if (this.ended) return steps.terminal;
    if (this.waitsForTakeOff) return steps.before.at(-1)?.number ?? steps.executing;
    return this.leg?.step ?? steps.terminal;
  }

  /** True once for each change that a dock reports. */
  private noticeChange(): boolean {
    const parts = [
      this.status,
      this.phase,
      this.stepNumber(),
      this.lastWaypoint,
      missionStateOf(this.status, this.phase),
      this.waitsForRtk,
    ];
    const mark = parts.join('|');
    const changed = mark !== this.noticed;
    this.noticed = mark;
    return changed;
  }
}
