#!/usr/bin/env bash
# @nats-io/transport-node 3.4.0 against a NATS server that verifies clients (`tls { verify: true }`): a client without a
# certificate is told so by a TLS alert at once, since under TLS 1.3 the handshake is over for the client before the server has
# judged it. connect() does not pass that on: it waits until its own timeout and rejects with `timeout`, and whoever reads the log
# looks for a network that is slow. With a certificate that the server trusts the same options connect at once.
#
# Needs Go (to build the pinned server), Node.js 20 and npm. Ends with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
GOBIN="$folder" GOFLAGS=-modcacherw GOPATH="$folder/go" go install github.com/nats-io/nats-server/v2@v2.10.27
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0 @peculiar/x509@1.13.0 reflect-metadata@0.2.2
cat >certificates.cjs <<'JS'
require('reflect-metadata');
const { webcrypto } = require('node:crypto');
const { writeFileSync } = require('node:fs');
const x509 = require('@peculiar/x509');
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dates = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) };
const pem = async (key) => x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
(async () => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...{ name: 'CN=authority', serialNumber: '01', ...dates, keys, signingAlgorithm: algorithm },
      extensions: [new x509.BasicConstraintsExtension(true, 1, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
    },
    webcrypto,
  );
  writeFileSync('ca.pem', ca.toString('pem'));
  for (const [index, name] of ['server', 'client'].entries()) {
    const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create(
      {
        ...{ subject: `CN=${name}`, issuer: ca.subject, serialNumber: `0${index + 2}`, ...dates },
        ...{ publicKey: own.publicKey, signingKey: keys.privateKey, signingAlgorithm: algorithm },
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
      },
      webcrypto,
    );
    writeFileSync(`${name}.pem`, certificate.toString('pem'));
    writeFileSync(`${name}.key`, await pem(own.privateKey));
  }
})();
JS
node certificates.cjs
port=$(node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})")
cat >nats.conf <<CONF
listen: "127.0.0.1:$port"
tls { cert_file: "server.pem", key_file: "server.key", ca_file: "ca.pem", verify: true }
CONF
./nats-server -c nats.conf >server.log 2>&1 & server=$!
trap 'kill "$server"; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cat >try.cjs <<'JS'
const { readFileSync } = require('node:fs');
const { setTimeout: delay } = require('node:timers/promises');
const { connect } = require('@nats-io/transport-node');
const TIMEOUT_MS = 3_000;
const attempt = async (files) => {
  const startedMs = Date.now();
  try {
    const connection = await connect({
      ...{ servers: `127.0.0.1:${process.argv[2]}`, timeout: TIMEOUT_MS, reconnect: false },
      tls: { ca: readFileSync('ca.pem', 'utf8'), ...files },
    });
    await connection.close();
    return { said: 'connected', tookMs: Date.now() - startedMs };
  } catch (error) {
    return { said: error.message, tookMs: Date.now() - startedMs };
  }
};
(async () => {
  await delay(1_000);
  const files = { cert: readFileSync('client.pem', 'utf8'), key: readFileSync('client.key', 'utf8') };
  const [withOne, without] = [await attempt(files), await attempt({})];
  const told = readFileSync('server.log', 'utf8').includes("client didn't provide a certificate");
  console.log(`with a certificate: ${withOne.said}; without: ${without.said} after ${without.tookMs} ms; the server told why: ${told}`);
  process.exitCode = withOne.said === 'connected' && without.tookMs >= TIMEOUT_MS - 100 && !/certificate/i.test(without.said) && told ? 0 : 1;
})();
JS
node try.cjs "$port"
