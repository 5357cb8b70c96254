import {
  PRESIGN_TOGETHER,
  type PresignDownloadAsk,
  type PresignedDownload,
  presignDownloadQuestion,
  presignDownloadsQuestion,
} from '@aerie/bus-contract';
import { RunTogether } from '@aerie/kernel';
import { type NatsConnection, NoAnswerError, ask } from '@aerie/messaging';

/**
 * Addresses at which docks fetch their files: all that is asked while a question is under way shares the next one. Missions
 * that are due at the same instant cost a few questions.
 */
export class DownloadAddresses {
  private readonly together: RunTogether<PresignDownloadAsk, PresignedDownload>;

  constructor(private readonly connection: NatsConnection) {
    this.together = new RunTogether({
      ...{ atOnce: PRESIGN_TOGETHER, runs: 1 },
      run: (asked) => this.askFor(asked),
      // No answer at all: the half of them would get none either.
      failsAll: () => true,
    });
  }

  /** Rejects with `NoAnswerError` when there is no address now. */
  async of(asked: PresignDownloadAsk): Promise<string> {
    const answer = await this.together.run(asked);
    if ('url' in answer) return answer.url;
    throw new NoAnswerError(false, presignDownloadsQuestion.subject, answer.refusal);
  }

  private async askFor(asked: readonly PresignDownloadAsk[]): Promise<readonly PresignedDownload[]> {
    try {
      return (await ask(this.connection, presignDownloadsQuestion, { downloads: [...asked] })).downloads;
    } catch (error) {
      if (!(error instanceof NoAnswerError) || !error.noResponders) throw error;
      // A credential-service of an earlier release makes them one by one.
      return Promise.all(asked.map((one) => this.askAlone(one)));
    }
  }

  private async askAlone(asked: PresignDownloadAsk): Promise<PresignedDownload> {
    try {
      return await ask(this.connection, presignDownloadQuestion, asked);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return { refusal: { code: error.code, message: error.message } };
    }
  }
}
