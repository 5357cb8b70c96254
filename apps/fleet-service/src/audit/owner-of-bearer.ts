import type { KnownBearer } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import type { ApiDatabase } from '@aerie/persistence';
import { BY_KEY, BY_SESSION } from '../finders.js';

/** Whose key or session a bearer names, be it good or not. */
export const ownerOfBearer =
  (api: ApiDatabase) =>
  async (bearer: string): Promise<KnownBearer | null> => {
    const [prefix, id] = bearer.split('_');
    if (id === undefined || !isUuid(id)) return null;
    const isSession = prefix === 'aeries';
    const own = api.ofWhom(isSession ? BY_SESSION : BY_KEY, id);
    const [row] = await own.query<{ organisation_id: string; by: string }>(
      isSession
        ? `SELECT organisation_id, 'person:' || person_id AS by FROM fleet.session WHERE id = $1`
        : `SELECT organisation_id, 'key:' || id AS by FROM fleet.api_key WHERE id = $1`,
      [id],
    );
    return row === undefined ? null : { organisationId: row.organisation_id, by: row.by };
  };
