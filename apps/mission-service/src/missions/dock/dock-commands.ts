import { type SendAnswer, presignDownloadQuestion, sendQuestion } from '@aerie/bus-contract';
import {
  type DockProfile,
  type FlighttaskResourceGetReply,
  type Generation,
  encodeReply,
  encodeService,
  generationOf,
  speaks,
} from '@aerie/dji-protocol';
import { type NatsConnection, NoAnswerError, ask } from '@aerie/messaging';
import type { Order } from '../advance-mission.js';
import type { LockedMission } from '../store/mission.row.js';
import { COMMAND_OF } from './command-names.js';

/**
 * How long the address of a file works. A dock fetches it right after prepare, and asks for a new one when it comes
 * back to the file later.
 */
const URL_LIFETIME_SECONDS = 900;

type CommandEffect = keyof typeof COMMAND_OF;

/** The first version of the protocol with prepare and execute; older docks know only flighttask_create. */
const PREPARE_SINCE: Generation = '1.3.0';

export const canPrepare = (model: DockProfile['model'], generation: string): boolean =>
  speaks({ model, generation: generation as Generation }, PREPARE_SINCE);

/** Writes our orders in the dock's words, at the moment they are sent. */
export class DockCommands {
  constructor(private readonly connection: NatsConnection) {}

  /**
   * Sends one command, once. `refused` is proven; anything that may have reached the broker is `unknown` or `written`.
   */
  async send(order: Order & { readonly effect: CommandEffect }, sentAtMs: number): Promise<SendAnswer> {
    let data: unknown;
    try {
      data = await this.dataOf(order.effect, order.mission, sentAtMs);
    } catch (error) {
      // Nothing was given to anybody yet.
      return { outcome: 'refused', reason: error instanceof Error ? error.message : 'the command cannot be written' };
    }
    try {
      return await ask(this.connection, sendQuestion, {
        sn: order.mission.dock_sn,
        channel: 'services',
        method: COMMAND_OF[order.effect],
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

  private async dataOf(effect: CommandEffect, mission: LockedMission, nowMs: number): Promise<unknown> {
    const profile: DockProfile = { model: mission.model, generation: mission.protocol_generation as Generation };
    switch (effect) {
      case 'sendExecute':
        return encodeService('flighttask_execute', { flight_id: mission.id }, profile);
      case 'sendUndo':
        return encodeService('flighttask_undo', { flight_ids: [mission.id] }, profile);
      case 'sendPrepare':
        return encodeService(
          'flighttask_prepare',
          {
            flight_id: mission.id,
            task_type: mission.kind === 'timed' ? 1 : mission.kind === 'conditional' ? 2 : 0,
            // An immediate task carries the cloud's "now": docks refuse one that is 30 s off.
            execute_time: mission.execute_at?.getTime() ?? nowMs,
            file: await this.fileOf(mission),
            rth_altitude: mission.rth_altitude_meters,
            rth_mode: 1,
            out_of_control_action: 0,
            exit_wayline_when_rc_lost: mission.exit_on_rc_lost === 'continue' ? 0 : 1,
            wayline_precision_type: mission.positioning === 'rtk' ? 1 : 0,
          },
          { ...profile, generation: generationOf(profile) },
        );
    }
  }

  private async fileOf(mission: LockedMission): Promise<{ url: string; fingerprint: string }> {
    const { url } = await ask(this.connection, presignDownloadQuestion, {
      organisationId: mission.organisation_id,
      objectKey: mission.object_key,
      lifetimeSeconds: URL_LIFETIME_SECONDS,
    });
    return { url, fingerprint: mission.md5 };
  }
}
