import { Body, Controller, Headers, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import {
  ApiKeyGuard,
  Caller,
  type Problem,
  Refused,
  type StoredAnswer,
  problemOf,
  readIdempotencyKey,
  readInput,
  AuditTrail,
  AuditedWithItsChange,
  openRecordOf,
} from '@aerie/http-api';
import { ConflictError } from '@aerie/kernel';
import { type Response } from 'express';
import { newMissions } from './batch.input.js';
import { readNewMission } from './mission.input.js';
import { type BatchItem, BatchRefusedError, CreateMission } from '../planning/create-mission.js';

const ROUTE = 'POST /missions/batch';

/** Many missions in one request, as a planner of a fleet sends them. */
@Controller('api/v1/missions/batch')
@UseGuards(ApiKeyGuard)
export class BatchController {
  constructor(
    private readonly createMission: CreateMission,
    private readonly audit: AuditTrail,
  ) {}

  /** Each mission gets the verdict that it would get alone. */
  @Post()
  @HttpCode(200)
  @AuditedWithItsChange()
  async create(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('idempotency-key') header: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const key = readIdempotencyKey(header);
    const { missions, allOrNothing } = readInput(newMissions, body);
    const items = missions.map((mission, index): BatchItem => ({
      request: {
        route: ROUTE,
        // A mission is known by its place in the request.
        idempotencyKey: key === undefined ? undefined : `${key}#${index}`,
        body: mission.body(),
      },
      input: () => readNewMission(mission.body(), Date.now()),
    }));
    const results = allOrNothing ? await this.all(caller, items) : await this.each(caller, items);
    response.type('application/json').send(`{"results":[${results.join(',')}]}`);
  }

  private async each(caller: Principal, items: readonly BatchItem[]): Promise<string[]> {
    const results = await this.createMission.executeEach(caller, items);
    const verdicts = results.map((result) => (result instanceof Refused ? problemOf(result.error) : result));
    // Nothing at all was carried out, for a reason that is none of theirs: so the whole request has failed.
    const [first] = results;
    if (first instanceof Refused && verdicts.every(({ status }) => status >= 500)) throw first.error;
    await this.noteRefusals(caller, verdicts);
    return verdicts.map(resultOf);
  }

  /** What was accepted is on record with its mission. */
  private async noteRefusals(caller: Principal, verdicts: readonly (StoredAnswer | Problem)[]): Promise<void> {
    const record = openRecordOf(caller);
    if (record === undefined) return;
    await this.audit.noteAll(
      verdicts.flatMap((verdict, index) =>
        isProblem(verdict) ? [{ entry: record.part({ index: String(index) }), status: verdict.status }] : [],
      ),
    );
  }

  private async all(caller: Principal, items: readonly BatchItem[]): Promise<string[]> {
    try {
      return (await this.createMission.executeAll(caller, items)).map(resultOf);
    } catch (error) {
      if (!(error instanceof BatchRefusedError)) throw error;
      throw refusalOf(error);
    }
  }
}

const isProblem = (verdict: StoredAnswer | Problem): verdict is Problem => 'code' in verdict;

const resultOf = (verdict: StoredAnswer | Problem): string =>
  isProblem(verdict)
    ? JSON.stringify({ status: verdict.status, problem: verdict })
    : `{"status":${verdict.status},"mission":${verdict.body}}`;

/** The refusals by their places; an error that is not of the missions themselves is that of the whole request. */
function refusalOf({ refusals }: BatchRefusedError): unknown {
  const problems = refusals.flatMap((refusal, index) =>
    refusal === null ? [] : [{ index, error: refusal.error, problem: problemOf(refusal.error) }],
  );
  const failure = problems.find(({ problem }) => problem.status >= 500);
  if (failure !== undefined) return failure.error;
  const fields = problems.map(({ index, problem }) => ({
    field: `missions.${index}`,
    message: problem.errors?.map(({ field, message }) => `${field}: ${message}`).join('; ') ?? problem.detail ?? '',
  }));
  const details = { refused: problems.map(({ index, problem }) => ({ index, problem })) };
  const count = `${problems.length} of ${refusals.length}`;
  return new ConflictError('batch_refused', `${count} missions cannot be planned, so none of them was`, {
    fields,
    details,
  });
}
