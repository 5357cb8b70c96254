import {
  PRESIGN_TOGETHER,
  type PresignDownloadAsk,
  presignDownloadQuestion,
  presignDownloadsQuestion,
} from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import { DownloadAddresses } from './download-addresses.js';

const FOREIGN = 'of-somebody-else';

let nats: PrivateServer;
let asking: NatsConnection;
let services: NatsConnection[];
/** How many addresses each question asked for. */
let questions: number[];
beforeEach(async () => {
  nats = await startPrivateNats();
  services = [];
  questions = [];
  asking = await connected();
}, 60_000);
afterEach(async () => {
  for (const connection of services) await connection.close();
  await nats.remove();
}, 30_000);

async function connected(): Promise<NatsConnection> {
  const connection = await connectNats(nats.url, 'addresses-spec', createLogger('addresses-spec', 'silent'));
  services.push(connection);
  return connection;
}

const presigned = ({ objectKey }: PresignDownloadAsk) => ({ url: `http://storage/${objectKey}`, expiresAtMs: 1 });

/** A credential-service of this release, or of the one before. */
async function aCredentialService(release: 'this' | 'before'): Promise<void> {
  const connection = await connected();
  if (release === 'this') {
    answer(connection, presignDownloadsQuestion, ({ downloads }) => {
      questions.push(downloads.length);
      return {
        downloads: downloads.map((asked) =>
          asked.objectKey === FOREIGN
            ? { refusal: { code: 'object_not_of_organisation', message: 'not yours' } }
            : presigned(asked),
        ),
      };
    });
  }
  connection.subscribe(presignDownloadQuestion.subject, {
    callback: (_error, message) => {
      const { data, id } = message.json<{ data: PresignDownloadAsk; id: string }>();
      questions.push(1);
      const said = data.objectKey === FOREIGN ? { err: { code: 'refused' } } : { response: presigned(data) };
      message.respond(JSON.stringify({ ...said, isDisposed: true, id }));
    },
  });
  await connection.flush();
}

const asked = (objectKey: string): PresignDownloadAsk => ({ organisationId: 'o', objectKey, lifetimeSeconds: 60 });
const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `key-${index}`);
const urlsOf = (objectKeys: readonly string[]): string[] => objectKeys.map((key) => `http://storage/${key}`);
const askFor = async (objectKeys: readonly string[]): Promise<string[]> => {
  const addresses = new DownloadAddresses(asking);
  return Promise.all(
    objectKeys.map(async (key) => {
      // Prepares come to it one after the other.
      await new Promise((resolve) => setImmediate(resolve));
      return addresses.of(asked(key));
    }),
  );
};

it('asks once or twice for the addresses of fifty prepares that come at once', async () => {
  await aCredentialService('this');
  expect(await askFor(keys(50))).toEqual(urlsOf(keys(50)));
  expect(questions.length).toBeLessThanOrEqual(2);
});

it('asks for no more at once than one question takes', async () => {
  await aCredentialService('this');
  const many = keys(PRESIGN_TOGETHER + 1);
  expect(await askFor(many)).toEqual(urlsOf(many));
  expect(Math.max(...questions)).toBe(PRESIGN_TOGETHER);
});

it.each(['this', 'before'] as const)(
  'gives the others their addresses where one is refused, by a credential-service of the release %s',
  async (release) => {
    await aCredentialService(release);
    const addresses = new DownloadAddresses(asking);
    const [one, foreign, other] = await Promise.allSettled(['a', FOREIGN, 'b'].map((key) => addresses.of(asked(key))));
    expect([one, other]).toMatchObject(urlsOf(['a', 'b']).map((value) => ({ status: 'fulfilled', value })));
    expect(foreign).toMatchObject({ status: 'rejected', reason: { code: 'no_answer' } });
  },
);

it('asks a credential-service of the release before one by one', async () => {
  await aCredentialService('before');
  expect(await askFor(keys(50))).toEqual(urlsOf(keys(50)));
  expect(questions).toEqual(Array.from({ length: 50 }, () => 1));
});

it('says that nobody answers when nobody does', async () => {
  await expect(new DownloadAddresses(asking).of(asked('a'))).rejects.toMatchObject({ code: 'no_answer' });
});
