import { type Finding, InvalidError, findingsError } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';

/** Once something is found that keeps the program from starting, others have so long to say what they find. */
const TOGETHER_MS = 2_000;
/** A start waits so long for servers that it does not need. They are examined as soon as they are there. */
const START_WITHIN_MS = 2_000;
/** Between two tries to examine a server that is away. Its own client says so in the log. */
const PAUSES_MS = [250, 500, 1_000, 2_000, 5_000];

/**
 * Examines the settings of servers while a program starts. All that is found is told at once: errors keep the program from
 * starting, the rest are warnings.
 */
export class BootChecks {
  private readonly findings: Finding[] = [];
  private readonly checks: Promise<void>[] = [];
  private isStopped = false;
  private isTold = false;
  private state: 'open' | 'settling' | 'settled' = 'open';

  /** @param end called when an error is found after the start; the process has to end */
  constructor(
    private readonly logger: Logger,
    private readonly end: (error: InvalidError) => void = rejectUnhandled,
  ) {}

  /** Examines a server now, and again as long as it is away. A wrong setting of ours, as an InvalidError, is a finding too. */
  examine(what: string, attempt: () => Promise<readonly Finding[]>): void {
    this.checks.push(this.untilExamined(what, attempt).then((found) => this.add(found)));
  }

  /** @throws InvalidError with all that was found */
  async settle(): Promise<void> {
    this.state = 'settling';
    await atMost(START_WITHIN_MS, Promise.all(this.checks));
    if (this.hasError()) await atMost(TOGETHER_MS, Promise.all(this.checks));
    this.state = 'settled';
    if (!this.hasError()) return;
    this.tell((error) => {
      throw error;
    });
  }

  stop(): void {
    this.isStopped = true;
  }

  private add(found: readonly Finding[]): void {
    this.findings.push(...found);
    for (const { what, field, message, isError } of found) {
      if (!isError) this.logger.warn({ server: what, setting: field }, `${what}, ${field}: ${message}`);
    }
    if (!found.some(({ isError }) => isError)) return;
    if (this.state === 'settled') this.tell(this.end);
    // The start goes on connecting, and may wait for another server for a long time.
    else if (this.state === 'open') void pause(TOGETHER_MS).then(() => this.state === 'open' && this.tell(this.end));
  }

  private tell(by: (error: InvalidError) => void): void {
    if (this.isTold || this.isStopped) return;
    this.isTold = true;
    by(findingsError(this.findings.filter(({ isError }) => isError)));
  }

  private hasError(): boolean {
    return this.findings.some(({ isError }) => isError);
  }

  private async untilExamined(what: string, attempt: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
    for (let failures = 0; !this.isStopped; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof InvalidError) return [findingOf(what, error)];
        this.logger.debug({ err: error, server: what }, 'failed to examine the settings of a server, trying again');
        await pause(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0);
      }
    }
    return [];
  }
}

function findingOf(what: string, { message, fields = [] }: InvalidError): Finding {
  const [first] = fields;
  return { what, field: first?.field ?? 'settings', message: first?.message ?? message, isError: true };
}

/** The rejection ends the process, and the supervisor starts it anew. */
const rejectUnhandled = (error: InvalidError): void => {
  void Promise.reject(error);
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, limitMs)))]);
  clearTimeout(timer);
}
