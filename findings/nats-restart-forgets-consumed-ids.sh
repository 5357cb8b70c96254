#!/usr/bin/env bash
# nats-server 2.10.27, JetStream: after a restart a stream knows the message ids of the messages that it still stores, and of
# no others. In a stream that removes what was acknowledged, the same id within the same duplicate window is refused before
# the restart and stored again after it.
#
# Two streams with a window of two minutes get one message with the id "one"; it is acknowledged, and sent again before and
# after an orderly restart that takes a second. Whoever counts on the window for exactly-once must have another guard.
#
# Needs Go (to build the pinned server), Node.js 20 and npm. Ends with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
GOBIN="$folder" GOFLAGS=-modcacherw GOPATH="$folder/go" go install github.com/nats-io/nats-server/v2@v2.10.27
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/jetstream@3.4.0 @nats-io/transport-node@3.4.0
port=$(node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})")
run_server() { ./nats-server -a 127.0.0.1 -p "$port" -js -sd "$folder/data" >server.log 2>&1 & server=$!; }
stop_server() { kill "$server"; wait "$server" 2>/dev/null || true; }
trap 'stop_server; rm -rf "$folder"' EXIT
cat >seen.mjs <<'JS'
import { AckPolicy, RetentionPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const [port, step] = process.argv.slice(2);
const connection = await connect({ servers: `127.0.0.1:${port}`, waitOnFirstConnect: true });
const [manager, stream] = [await jetstreamManager(connection), jetstream(connection)];
const streams = { removes: RetentionPolicy.Workqueue, keeps: RetentionPolicy.Limits };
const isRepeat = async (name) => (await stream.publish(`${name}.x`, 'x', { msgID: 'one' })).duplicate;
const repeats = {};
for (const [name, retention] of Object.entries(streams)) {
  if (step === 'before') {
    await manager.streams.add({ name, subjects: [`${name}.>`], retention, duplicate_window: 120e9 });
    await manager.consumers.add(name, { durable_name: 'reader', ack_policy: AckPolicy.Explicit });
    await isRepeat(name);
    const message = await (await stream.consumers.get(name, 'reader')).next({ expires: 5_000 });
    await message.ackAck();
  }
  repeats[name] = await isRepeat(name);
}
await connection.close();
console.log(`${step} the restart, a repeat: ${JSON.stringify(repeats)}`);
process.exitCode = repeats.keeps && repeats.removes === (step === 'before') ? 0 : 1;
JS
run_server
node seen.mjs "$port" before
stop_server
run_server
node seen.mjs "$port" after
# Seen: before the restart, a repeat: {"removes":true,"keeps":true}
# Seen: after the restart, a repeat: {"removes":false,"keeps":true}
