import type { SendAnswer } from '@aerie/bus-contract';
import {
  type FlighttaskCreate,
  type FlighttaskPrepare,
  type FlighttaskResourceGetReply,
  type ResumePoint,
  encodeReply,
  encodeService,
} from '@aerie/dji-protocol';
import { assertNever } from '@aerie/kernel';
import { type NatsConnection, NoAnswerError, SendTogether } from '@aerie/messaging';
import type { Order } from '../advance-mission.js';
import type { LockedMission } from '../store/mission.row.js';
import { type CommandEffect, commandFor } from '../dji/command-names.js';
import { type StoredBreakPoint, profileOf } from '../dji/dock-profiles.js';
import { DownloadAddresses } from './download-addresses.js';

/**
 * How long the address of a file works. A dock fetches it right after prepare, and asks for a new one when it comes
 * back to the file later.
 */
const URL_LIFETIME_SECONDS = 900;

/** Writes our orders in the dock's words, at the moment they are sent. */
export class DockCommands {
  private readonly sender: SendTogether;
  private readonly addresses: DownloadAddresses;

  constructor(connection: NatsConnection) {
    this.sender = new SendTogether(connection);
    this.addresses = new DownloadAddresses(connection);
  }

  /**
   * Sends one command, once. `refused` is proven; anything that may have reached the broker is `unknown` or `written`.
   *
   * @param whyNot is asked last, when the command is ready: it may have waited for its address for long. Says why it is not
   *   wanted any more, or null.
   */
  async send(
    order: Order & { readonly effect: CommandEffect },
    sentAtMs: number,
    whyNot: () => Promise<string | null>,
  ): Promise<SendAnswer & { readonly notWanted?: boolean }> {
    let data: unknown;
    try {
      data = await this.dataOf(order, sentAtMs);
      const reason = await whyNot();
      if (reason !== null) return { outcome: 'refused', reason, notWanted: true };
    } catch (error) {
      // Nothing was given to anybody yet.
      return { outcome: 'refused', reason: error instanceof Error ? error.message : 'the command cannot be written' };
    }
    try {
      return await this.sender.send({
        sn: order.mission.dock_sn,
        channel: 'services',
        method: commandFor(order.effect, order.mission.delivery),
        tid: order.tid,
        // All messages of one flight share the bid; docks put it into their progress.
        bid: order.mission.id,
        data,
        sentAtMs,
        notAfterMs: order.notAfterMs,
      });
    } catch (error) {
      if (error instanceof NoAnswerError && error.noResponders)
        return { outcome: 'refused', reason: 'no ingress is there' };
      return { outcome: 'unknown', reason: error instanceof Error ? error.message : 'no answer' };
    }
  }

  /** The answer to a dock that asks for the file of its flight. The address is new each time. */
  async resource(mission: LockedMission): Promise<unknown> {
    const reply: FlighttaskResourceGetReply = { result: 0, output: { file: await this.fileOf(mission) } };
    return encodeReply('requests_reply', 'flighttask_resource_get', reply);
  }

  private async dataOf({ effect, mission, parameters }: Order & { effect: CommandEffect }, nowMs: number) {
    const profile = profileOf(mission);
    switch (effect) {
      case 'sendPrepare':
        return encodeService('flighttask_prepare', await this.prepareOf(mission, nowMs), profile);
      case 'sendExecute':
        return mission.delivery === 'create'
          ? encodeService('flighttask_create', await this.createOf(mission), profile)
          : encodeService('flighttask_execute', { flight_id: mission.id }, profile);
      case 'sendUndo':
        return encodeService('flighttask_undo', { flight_ids: [mission.id] }, profile);
      case 'sendPause':
        return encodeService('flighttask_pause', {}, profile);
      case 'sendResume':
        return encodeService('flighttask_recovery', {}, profile);
      case 'sendReturnHome':
        return encodeService('return_home', {}, profile);
      case 'sendReturnCancel':
        return encodeService('return_home_cancel', {}, profile);
      case 'sendReturnElsewhere':
        return encodeService('return_specific_home', { home_dock_sn: parameters.homeDockSn ?? '' }, profile);
      case 'sendStop':
        // 0: a normal end; 1 would say that the other dock of a multi-dock flight failed.
        return encodeService('flighttask_stop', { flight_id: mission.id, reason: 0 }, profile);
      case 'sendSetupAbort':
        return encodeService('flight_setup_abort', {}, profile);
      default:
        return assertNever(effect);
    }
  }

  private async prepareOf(mission: LockedMission, nowMs: number): Promise<FlighttaskPrepare> {
    const { simulate, ready_from, ready_until } = mission;
    return {
      flight_id: mission.id,
      task_type: TASK_TYPE[mission.kind],
      // An immediate task carries the cloud's "now": docks refuse one that is 30 s off.
      ...(mission.kind === 'conditional' ? {} : { execute_time: mission.execute_at?.getTime() ?? nowMs }),
      file: await this.fileOf(mission),
      ...(ready_from && ready_until
        ? {
            ready_conditions: {
              battery_capacity: mission.battery_above_percent ?? 0,
              begin_time: ready_from.getTime(),
              end_time: ready_until.getTime(),
            },
          }
        : {}),
      ...(mission.storage_needed_megabytes === null
        ? {}
        : { executable_conditions: { storage_capacity: mission.storage_needed_megabytes } }),
      ...(mission.break_point === null ? {} : { break_point: resumePointOf(mission.break_point) }),
      rth_altitude: mission.rth_altitude_meters,
      rth_mode: 1,
      out_of_control_action: 0,
      exit_wayline_when_rc_lost: mission.exit_on_rc_lost === 'continue' ? 0 : 1,
      wayline_precision_type: mission.positioning === 'rtk' ? 1 : 0,
      ...(simulate === null
        ? {}
        : {
            simulate_mission: {
              is_enable: 1,
              latitude: simulate.latitude,
              longitude: simulate.longitude,
              ...(simulate.altitudeMeters === undefined ? {} : { altitude: simulate.altitudeMeters }),
            },
          }),
      ...(mission.flight_area_check ? { flight_safety_advance_check: 1 } : {}),
    };
  }

  private async createOf(mission: LockedMission): Promise<FlighttaskCreate> {
    const { url, fingerprint } = await this.fileOf(mission);
    return { flight_id: mission.id, type: 'wayline', file: { url, sign: fingerprint } };
  }

  private async fileOf(mission: LockedMission): Promise<{ url: string; fingerprint: string }> {
    const url = await this.addresses.of({
      organisationId: mission.organisation_id,
      objectKey: mission.object_key,
      lifetimeSeconds: URL_LIFETIME_SECONDS,
      dockSn: mission.dock_sn,
      askedBy: 'mission-service',
      reason: `route of mission ${mission.id}`,
    });
    return { url, fingerprint: mission.md5 };
  }
}

const TASK_TYPE = { immediate: 0, timed: 1, conditional: 2 } as const;

/** The four members of a reported breakpoint that go back into a prepare. Only such are ever stored with a mission. */
export function resumePointOf({ index, state, progress, wayline_id }: StoredBreakPoint): ResumePoint {
  return { index: index ?? 0, state: state ?? 0, progress: progress ?? 0, wayline_id: wayline_id ?? 0 };
}
