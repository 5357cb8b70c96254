import { X509Certificate } from 'node:crypto';
import type { Metrics } from '@aerie/observability';

const EACH = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** By the setting that names their file, as the program has read them. */
const inUse = new Map<string, number>();

/** @param pem one certificate or several, as PEM */
export function noteCertificates(setting: string, pem: string): void {
  inUse.set(setting, endOf(pem));
}

/** When the first of them ends, in seconds since 1970. What follows the first may be no certificate. */
function endOf(pem: string): number {
  const ends = [...pem.matchAll(EACH)].map(([text]) => Date.parse(new X509Certificate(text).validTo) / 1_000);
  return Math.min(...ends);
}

/** Files are read once, so this is what the program goes on with, whatever lies there by now. */
export function showCertificates(metrics: Metrics): void {
  metrics.askedGauges(
    'certificate_not_after_seconds',
    'When the first certificate of a file ends that this program has read, its own or those of authorities. Unix time.',
    'setting',
    async () => [...inUse],
  );
}
