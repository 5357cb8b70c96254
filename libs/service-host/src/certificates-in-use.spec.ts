import { readFileSync } from 'node:fs';
import { Metrics } from '@aerie/observability';
import { makeAuthority } from '@aerie/testing';
import { z } from 'zod';
import { showCertificates } from './certificates-in-use.js';
import { readConfig } from './config.js';
import { listener, peer } from './setting-files.js';

it('tells when each certificate ends that the program has read, of several in a file the first that does', async () => {
  const authority = await makeAuthority();
  const { cert, key } = await authority.issue('127.0.0.1', 30);
  const both = authority.write('both.pem', `${readFileSync(cert, 'utf8')}\n${authority.caPem}`);
  const env = { NATS_URL: 'tls://127.0.0.1', NATS_CA_FILE: both, LISTEN_CERT_FILE: cert, LISTEN_KEY_FILE: key };
  const schema = z.object({ NATS_URL: peer('nats'), LISTEN_CERT_FILE: listener() });
  readConfig(schema, env, { program: 'test', prefix: 'TEST_' });
  authority.remove();

  const metrics = new Metrics('test');
  showCertificates(metrics);
  const text = await metrics.registry.metrics();
  const daysLeft = (setting: string): number => {
    const [, value = ''] = new RegExp(`certificate_not_after_seconds{setting="${setting}".*} (\\S+)`).exec(text) ?? [];
    return Math.round((Number(value) - Date.now() / 1_000) / 86_400);
  };
  expect([daysLeft('LISTEN_CERT_FILE'), daysLeft('NATS_CA_FILE')]).toEqual([30, 1]);
});
