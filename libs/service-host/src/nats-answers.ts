import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type NatsContext, ServerNats } from '@nestjs/microservices';
import { UnavailableError } from '@aerie/kernel';
import { type OpenSpan, TRACE_HEADER, beginSpan, isTracing, readTrace, runInTrace } from '@aerie/observability';
import { Observable, type Observer, type Subscriber } from 'rxjs';
import { MAY_HAVE_BEEN_DONE, OpenCalls, STOPPING_CODE } from './stopping.js';

interface Subscription {
  drain(): Promise<void>;
}

/** What Nest uses of a NATS connection to subscribe. */
interface NatsSubscriber {
  subscribe(subject: string, options: unknown): Subscription;
}

/** Answers questions over NATS, and can leave its queue groups while it goes on answering what it has. */
export class NatsAnswers extends ServerNats {
  private readonly groups: Subscription[] = [];

  override bindEvents(client: NatsSubscriber): void {
    const subscribe: NatsSubscriber['subscribe'] = (subject, options) => {
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

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return new Observable((asker) => {
      const span = isTracing() ? traceOf(context.switchToRpc().getContext<NatsContext>()) : undefined;
      const refuse = (): void => asker.error(new UnavailableError(STOPPING_CODE, MAY_HAVE_BEEN_DONE));
      this.open.add(refuse);
      const answering = runInTrace(span?.context, () => next.handle().subscribe(told(asker, span)));
      return () => {
        answering.unsubscribe();
        this.open.delete(refuse);
        span?.end();
      };
    });
  }

  end(withinMs: number): Promise<void> {
    return this.open.end(withinMs, (refuse) => refuse());
  }
}

/** Who asks says whether it is traced. */
function traceOf(question: NatsContext): OpenSpan | undefined {
  const { headers, subject } = headersOf(question);
  const parent = readTrace(headers?.get(TRACE_HEADER));
  if (parent === undefined) return undefined;
  return beginSpan({
    ...{ name: `answer ${subject}`, kind: 'server', parent },
    attributes: { 'messaging.system': 'nats', 'messaging.destination.name': subject },
  });
}

interface QuestionHeaders {
  readonly subject: string;
  readonly headers: { get(name: string): string } | undefined;
}

/** Nest types the headers as anything. */
const headersOf = (question: NatsContext): QuestionHeaders => ({
  subject: question.getSubject(),
  headers: question.getHeaders() as QuestionHeaders['headers'],
});

const told = (asker: Subscriber<unknown>, span: OpenSpan | undefined): Partial<Observer<unknown>> =>
  span === undefined
    ? asker
    : {
        next: (answer) => asker.next(answer),
        complete: () => asker.complete(),
        error: (error: unknown) => {
          span.fail(error);
          asker.error(error);
        },
      };
