import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { ServerNats } from '@nestjs/microservices';
import { UnavailableError } from '@aerie/kernel';
import { Observable } from 'rxjs';
import { MAY_HAVE_BEEN_DONE, OpenCalls, STOPPING_CODE } from './stopping.js';

interface Subscription {
  drain(): Promise<void>;
}

/** What Nest uses of a NATS connection to subscribe. */
interface Subscriber {
  subscribe(subject: string, options: unknown): Subscription;
}

/** Answers questions over NATS, and can leave its queue groups while it goes on answering what it has. */
export class NatsAnswers extends ServerNats {
  private readonly groups: Subscription[] = [];

  override bindEvents(client: Subscriber): void {
    const subscribe: Subscriber['subscribe'] = (subject, options) => {
      const subscription = client.subscribe(subject, options);
      this.groups.push(subscription);
      return subscription;
    };
    super.bindEvents({ subscribe });
  }

  /**
   * Listens once the server has every subscription: what is written waits for the end of a turn, so whoever asks the
   * moment this service is ready would be told that nobody answers.
   */
  override start(callback: (error?: unknown, ...optionalParams: unknown[]) => void): void {
    super.start((...result) => void this.flush().then(() => callback(...result), callback));
  }

  /** From now on other replicas are asked. What is on its way to this one by then is answered. */
  async leaveGroups(): Promise<void> {
    await Promise.all(this.groups.map((subscription) => subscription.drain()));
  }

  /** Answers that are written are on their way to the server once this resolves. */
  async flush(): Promise<void> {
    await this.unwrap<{ flush(): Promise<void> }>().flush();
  }
}

/** The questions that are being answered. */
@Injectable()
export class QuestionsInWork implements NestInterceptor {
  private readonly open = new OpenCalls<() => void>();

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return new Observable((asker) => {
      const refuse = (): void => asker.error(new UnavailableError(STOPPING_CODE, MAY_HAVE_BEEN_DONE));
      this.open.add(refuse);
      const answering = next.handle().subscribe(asker);
      return () => {
        answering.unsubscribe();
        this.open.delete(refuse);
      };
    });
  }

  end(withinMs: number): Promise<void> {
    return this.open.end(withinMs, (refuse) => refuse());
  }
}
