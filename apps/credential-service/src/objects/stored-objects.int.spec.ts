import { deleteObjectsQuestion, headObjectsQuestion, listObjectsQuestion } from '@aerie/bus-contract';
import { ask } from '@aerie/messaging';
import { ORGANISATION, startService } from '../running-service.fixture.js';

it('tells nothing of objects while the storage is away, instead of taking them for missing', async () => {
  const elsewhere = await startService({ S3_SERVICE_ENDPOINT: 'http://127.0.0.1:9' });
  try {
    const organisationId = ORGANISATION;
    const [objectKey, prefix] = [`org/${ORGANISATION}/dock/D-1/logs/x/1/1.tar`, `org/${ORGANISATION}/dock/`];
    const silent = { cause: { code: 'storage_unavailable' } };
    const asked = { organisationId, objectKeys: [objectKey] };
    await expect(ask(elsewhere.nats, headObjectsQuestion, asked)).rejects.toMatchObject(silent);
    const below = { organisationId, prefix, limit: 1 };
    await expect(ask(elsewhere.nats, listObjectsQuestion, below)).rejects.toMatchObject(silent);
    await expect(ask(elsewhere.nats, deleteObjectsQuestion, asked)).resolves.toEqual({ deletedKeys: [] });
  } finally {
    await elsewhere.stop();
  }
}, 60_000);
