import { randomUUID } from 'node:crypto';
import { type DockRecord, type Principal, findDocksQuestion, callerName } from '@aerie/bus-contract';
import {
  type IdempotentRequest,
  type StoredAnswer,
  answerOnce,
  once,
  unknownDock,
  recordChanges,
} from '@aerie/http-api';
import { InvalidError } from '@aerie/kernel';
import { type NatsConnection, ask } from '@aerie/messaging';
import { type ApiDatabase, inTransaction } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import type { readNewCampaign } from './campaign.input.js';
import { campaignView } from './campaign.view.js';
import { CAMPAIGN_COLUMNS, type CampaignRow, tallyOf } from './campaign.store.js';

type Input = ReturnType<typeof readNewCampaign>;
type Request = Omit<IdempotentRequest, 'organisationId'>;

const PAGE = 500;
/** The largest fleets that are known have some thousand docks. */
const MAX_DOCKS = 20_000;
/** A dock that never comes back must not keep a campaign running for ever. */
const LONGEST_MS = 7 * 24 * 60 * 60_000;

/** Accepts a campaign: the docks that fit now are written down, and each gets its turn. */
export class CreateCampaign {
  constructor(
    private readonly parts: {
      readonly database: ApiDatabase;
      readonly connection: NatsConnection;
      readonly wake: () => void;
    },
  ) {}

  /** The answer to a request that was accepted before, also while `accept` refused it; otherwise that of `accept`. */
  answerOnce(
    { organisationId }: Principal,
    request: Request,
    accept: () => Promise<StoredAnswer>,
  ): Promise<StoredAnswer> {
    return answerOnce(this.parts.database, SCHEMA, { ...request, organisationId }, accept);
  }

  async execute(caller: Principal, input: Input, request: Request): Promise<StoredAnswer> {
    const { organisationId } = caller;
    const docks = await this.findDocks(organisationId, input.docks);
    if (docks.length === 0) throw noDocks();
    const answer = await inTransaction(this.parts.database.of(caller), (tx) =>
      once(tx, SCHEMA, { ...request, organisationId }, async () => {
        const id = randomUUID();
        const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
        const { hours, maxMegabitsPerSecond: megabits } = input;
        await tx.run(
          `INSERT INTO log.campaign (id, organisation_id, name, state, revision, filter, selection, docks_per_minute,
             concurrent, bytes_per_second, hours, threshold, next_start_at, until_at, next_action_at, created_by)
           VALUES ($1, $2, $3, 'running', 1, $4, $5, $6, $7, $8, $9, $10, clock_timestamp(), $11, clock_timestamp(), $12)`,
          [
            ...[id, organisationId, input.name, JSON.stringify(input.docks), JSON.stringify(input.selection)],
            ...[input.docksPerMinute, input.concurrent, megabits === undefined ? null : Math.ceil(megabits * 125_000)],
            hours === undefined
              ? null
              : JSON.stringify({ fromMinute: minuteOf(hours.from), untilMinute: minuteOf(hours.until) }),
            JSON.stringify({ failedPercent: input.stopAtFailedPercent, afterDocks: input.stopNotBeforeDocks }),
            ...[input.until ?? new Date(Date.now() + LONGEST_MS), callerName(caller)],
          ],
        );
        await tx.run(
          `INSERT INTO log.campaign_dock (campaign_id, dock_sn, state)
           SELECT $1, sn, 'waiting' FROM unnest($2::text[]) AS d (sn) ORDER BY sn`,
          [id, docks.map(({ sn }) => sn)],
        );
        await recordChanges(tx, SCHEMA, [{ caller, resources: { campaignId: id } }]);
        const row = await tx.one<CampaignRow>(`SELECT ${CAMPAIGN_COLUMNS} FROM log.campaign WHERE id = $1`, [id]);
        if (row === undefined) throw new Error('a campaign vanished in its own transaction');
        return { status: 201, body: JSON.stringify(campaignView(row, await tallyOf(tx, id))) };
      }),
    );
    this.parts.wake();
    return answer;
  }

  private async findDocks(organisationId: string, filter: Input['docks']): Promise<DockRecord[]> {
    const { sns, models, nameContains } = filter;
    const others = {
      ...(models === undefined ? {} : { models }),
      ...(nameContains === undefined ? {} : { nameContains }),
    };
    const found: DockRecord[] = [];
    const wanted = sns === undefined ? null : [...new Set(sns)];
    if (wanted !== null) {
      for (let start = 0; start < wanted.length; start += PAGE) {
        const part = { organisationId, ...others, sns: wanted.slice(start, start + PAGE), limit: PAGE };
        found.push(...(await ask(this.parts.connection, findDocksQuestion, part)).docks);
      }
      // A serial number that is not there is a mistake of the caller, unless the other parts leave it out.
      if (models === undefined && nameContains === undefined && found.length < wanted.length) {
        const known = new Set(found.map(({ sn }) => sn));
        const index = sns?.findIndex((sn) => !known.has(sn)) ?? 0;
        throw unknownDock(`docks.sns.${index}`, sns?.[index] ?? '');
      }
      return found;
    }
    let after: string | undefined;
    let docks: readonly DockRecord[];
    do {
      const page = { organisationId, ...others, limit: PAGE, ...(after === undefined ? {} : { after }) };
      ({ docks } = await ask(this.parts.connection, findDocksQuestion, page));
      found.push(...docks);
      if (found.length > MAX_DOCKS) throw tooManyDocks();
      after = docks.at(-1)?.sn;
    } while (docks.length === PAGE);
    return found;
  }
}

function noDocks(): InvalidError {
  const message = 'fits no dock of the organisation';
  return new InvalidError('no_docks', `the filter ${message}`, { fields: [{ field: 'docks', message }] });
}

function tooManyDocks(): InvalidError {
  const message = `fits more than ${MAX_DOCKS} docks; make several campaigns, by model or name`;
  return new InvalidError('too_many_docks', `the filter ${message}`, { fields: [{ field: 'docks', message }] });
}
