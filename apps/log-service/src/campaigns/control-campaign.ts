import type { Principal } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, notThere, recordChanges } from '@aerie/http-api';
import { ConflictError, NotFoundError } from '@aerie/kernel';
import { type CampaignWish, afterWish } from '@aerie/log-core';
import { type ApiDatabase, inTransaction, wholeOf } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import type { CampaignReadModel } from './campaign.read-model.js';
import { forgive, lockCampaign, saveCampaign, skipDocks, tallyOf } from './campaign.store.js';
import type { CampaignView } from './campaign.view.js';
import { type RunCampaigns, tellChange } from './run-campaigns.js';

/** Pause: no further dock begins. Resume: also after failures stopped it. Cancel: what runs is called off. */
export class ControlCampaign {
  constructor(
    private readonly parts: {
      readonly database: ApiDatabase;
      readonly campaigns: CampaignReadModel;
      readonly runCampaigns: RunCampaigns;
    },
  ) {}

  async execute(caller: Principal, id: string, wish: CampaignWish, version: ExpectedVersion): Promise<CampaignView> {
    const { database, campaigns, runCampaigns } = this.parts;
    await inTransaction(database.of(caller), async (tx) => {
      const campaign = await lockCampaign(tx, id);
      if (campaign?.organisation_id !== caller.organisationId) throw unknownCampaign(id);
      checkVersion(version, campaign.revision);
      const state = afterWish(campaign.state, wish);
      if (state === null) throw notNow(campaign.state, wish);
      if (state === campaign.state) return;
      if (campaign.state === 'stopped' && state === 'running') await forgive(tx, id, await tallyOf(tx, id));
      if (state === 'canceled') await skipDocks(tx, id, 'canceled');
      const nowMs = campaign.now.getTime();
      const nextStartMs = Math.max(campaign.next_start_at.getTime(), nowMs);
      await saveCampaign(tx, campaign, { state, cause: null, nextStartMs, nextActionAtMs: nowMs });
      await tellChange(tx, campaign, state, null);
      await recordChanges(tx, SCHEMA, [{ caller }]);
    });
    runCampaigns.wake();
    const view = await campaigns.find(wholeOf(caller.organisationId), id);
    if (view === undefined) throw unknownCampaign(id);
    return view;
  }
}

export const unknownCampaign = (id: string): NotFoundError =>
  notThere({
    ...{ code: 'unknown_campaign', noun: 'campaign', field: 'id', sent: id },
    advice: 'GET /api/v1/log-campaigns lists them',
  });

function notNow(state: string, wish: CampaignWish): ConflictError {
  const message = `the campaign is ${state}; it cannot be told to ${wish}`;
  return new ConflictError('campaign_state', message, { fields: [{ field: 'id', message }], details: { state } });
}
