import { execFile } from 'node:child_process';
import { PERMISSIONS, ROLES } from '@aerie/bus-contract';
import type { DataSource } from 'typeorm';
import { type AuditRow, verifyChains } from '../audit/audit-chain.js';
import type { RouteDescription } from '../openapi/types.js';
import type { Caller } from './caller.js';

export interface AuditedApi {
  readonly schema: string;
  readonly caller: Caller;
  /** The name of the route that shows the records. */
  readonly operationId: string;
  /** Puts what has ended into the chains, as a sweeper of the service does. */
  readonly keep: () => Promise<void>;
  readonly engine: DataSource;
  /** Somebody who may do everything with the database, and not through the service. */
  readonly owner: DataSource;
  /** The command that verifies the chains, and what it reads. */
  readonly verify: { readonly script: string; readonly env: Readonly<Record<string, string>> };
}

interface Shown {
  readonly operationId: string;
  readonly status: number | null;
}

/** What the command says, and its exit code. */
const verdictOf = ({ script, env }: AuditedApi['verify']): Promise<{ readonly code: number; readonly said: string }> =>
  new Promise((resolve) =>
    execFile(process.execPath, [script], { env: { PATH: process.env['PATH'], ...env } }, (error, said) =>
      resolve({ code: error === null ? 0 : Number(error.code), said }),
    ),
  );

const LOOKS = 100;
const LOOK_EVERY_MS = 50;

/**
 * Looks back at all that other tests of a running service have asked of it: what changed something is on record, and what
 * was refused. So it comes after them. `untold` are routes that change nothing, whatever their method says.
 */
export function describeAudit(
  routes: readonly RouteDescription[],
  untold: readonly string[],
  api: () => AuditedApi,
): void {
  const changing = routes.filter(({ method, operationId }) => method !== 'get' && !untold.includes(operationId));

  const recorded = async (): Promise<Set<string>> => {
    const { caller, operationId, keep } = api();
    await keep();
    const found = new Set<string>();
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: Record<string, string> = { limit: '200', ...(cursor === '' ? {} : { cursor }) };
      const { body } = await caller.call(operationId, { query });
      for (const record of body['items'] as Shown[]) found.add(`${record.operationId} ${record.status}`);
      cursor = body['nextCursor'] as string | null;
    }
    return found;
  };
  /** How a request ended may be noted after its caller was told. */
  const lacking = async (wanted: readonly string[]): Promise<string[]> => {
    for (let look = 1; ; look++) {
      const found = await recorded();
      const missing = wanted.filter((one) => !found.has(one));
      if (missing.length === 0 || look === LOOKS) return missing;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };

  describe('the audit', () => {
    it('has a record of each route that was carried out and changes something', async () => {
      const done = [...api().caller.seen].map((seen) => seen.split(' ').slice(0, 2).join(' '));
      const wanted = done.filter((one) => changing.some(({ operationId }) => one.startsWith(`${operationId} `)));
      expect(wanted.length).toBeGreaterThanOrEqual(changing.length);
      expect(await lacking([...new Set(wanted)])).toEqual([]);
    });

    it('has a record of each route that was refused because of a role', async () => {
      const guarded = routes.filter(
        ({ permission }) => permission !== undefined && PERMISSIONS[permission].length < ROLES.length,
      );
      expect(await lacking(guarded.map(({ operationId }) => `${operationId} 403`))).toEqual([]);
    });

    it('has no record of what only reads', async () => {
      const found = [...(await recorded())];
      const reading = routes.filter(({ operationId }) => !changing.some((route) => route.operationId === operationId));
      const told = reading.flatMap(({ operationId }) => found.filter((one) => one.startsWith(`${operationId} 2`)));
      expect(told).toEqual([]);
    });

    // Last: no chain is whole after it.
    it('names the first record at which its chain does not hold: one that was changed, one that is missing [N69]', async () => {
      const { schema, engine, owner, verify } = api();
      const faults = async () => (await verifyChains(engine, schema)).faults.map(({ seq, what }) => [seq, what]);
      expect(await faults()).toEqual([]);
      expect(await verdictOf(verify)).toMatchObject({
        code: 0,
        said: expect.stringMatching(/^\d+ records are as/) as string,
      });
      const [{ organisation_id: id } = { organisation_id: '' }] = await owner.query<
        Pick<AuditRow, 'organisation_id'>[]
      >(`SELECT organisation_id FROM ${schema}.audit_chain ORDER BY seq DESC LIMIT 1`);
      const tamper = async (sql: string): Promise<void> => {
        await expect(owner.query(sql, [id])).rejects.toThrow('audit records are not changed and not deleted');
        await owner.query(`ALTER TABLE ${schema}.audit_record DISABLE TRIGGER USER`);
        await owner.query(sql, [id]);
        await owner.query(`ALTER TABLE ${schema}.audit_record ENABLE TRIGGER USER`);
      };
      await tamper(`UPDATE ${schema}.audit_record SET by = 'key:another' WHERE organisation_id = $1 AND seq = 5`);
      expect(await faults()).toEqual([['5', 'it was changed']]);
      await tamper(`DELETE FROM ${schema}.audit_record WHERE organisation_id = $1 AND seq = 3`);
      expect(await faults()).toEqual([['3', 'it is missing']]);
      const { code, said } = await verdictOf(verify);
      expect([code, said.split('\n')[0]]).toEqual([1, `organisation ${id}, record 3: it is missing`]);
    });
  });
}
