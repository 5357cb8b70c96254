#!/usr/bin/env bash
# mosquitto 2.0.21: a shared subscription goes on giving its share to a member whose connection is gone, as long as its session
# lasts, and the other members do not get it. When the session expires the messages are thrown away, though their
# publishers have a PUBACK of QoS 1. [MQTT5-4.8.2] leaves it to the broker.
#
# Two members with sessions of five seconds; one breaks off without a DISCONNECT, and twenty messages are published. Whoever
# runs such members on several hosts needs somebody who takes over the sessions of a host that does not come back.
#
# Needs mosquitto 2.0 on PATH, Node.js 20 and npm. Ends with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund mqtt@5.16.0
port=$(node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})")
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >broker.conf
mosquitto -c broker.conf >broker.log 2>&1 & broker=$!
trap 'kill "$broker"; wait "$broker" 2>/dev/null || true; rm -rf "$folder"' EXIT
cat >seen.mjs <<'JS'
import mqtt from 'mqtt';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const count = { stays: 0, away: 0 };
const member = async (clientId) => {
  const client = mqtt.connect(`mqtt://127.0.0.1:${process.argv[2]}`, {
    ...{ protocolVersion: 5, clientId, clean: false, reconnectPeriod: 0 },
    properties: { sessionExpiryInterval: 5 },
  });
  client.on('message', () => count[clientId]++);
  client.on('error', () => undefined);
  await new Promise((resolve) => client.once('connect', resolve));
  return client;
};
await pause(1_000);
const [stays, away, publisher] = [await member('stays'), await member('away'), await member('publisher')];
for (const client of [stays, away]) await client.subscribeAsync('$share/group/topic', { qos: 1 });
away.stream.destroy();
await pause(500);
for (let number = 0; number < 20; number++) await publisher.publishAsync('topic', String(number), { qos: 1 });
await pause(1_000);
console.log(`while it is away: ${JSON.stringify(count)}`);
const seen = count.stays === 10 && count.away === 0;
await pause(7_000);
const back = await member('away');
await pause(1_000);
console.log(`after its session has ended: ${JSON.stringify(count)}`);
for (const client of [stays, publisher, back]) client.end(true);
process.exitCode = seen && count.stays + count.away === 10 ? 0 : 1;
JS
node seen.mjs "$port"
# Seen: while it is away: {"stays":10,"away":0}
# Seen: after its session has ended: {"stays":10,"away":0}
