#!/usr/bin/env bash
# nats-server 2.10.27, JetStream: a stream with interest retention deletes stored messages the moment the filter of a
# consumer is narrowed so that no consumer wants them any more. Widening it again brings nothing back.
#
# Three messages are stored for one consumer and none is read. Updating the consumer to another filter leaves the stream
# with none. Two releases of one program that each declare their own filter thus delete what the other one had stored,
# although every publisher was told that it is stored.
#
# Needs Go (to build the pinned server), Node.js 20 and npm. Ends with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
GOBIN="$folder" GOFLAGS=-modcacherw GOPATH="$folder/go" go install github.com/nats-io/nats-server/v2@v2.10.27
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/jetstream@3.4.0 @nats-io/transport-node@3.4.0
port=$(node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})")
./nats-server -a 127.0.0.1 -p "$port" -js -sd "$folder/data" >server.log 2>&1 &
server=$!
trap 'kill "$server"; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cat >seen.mjs <<'JS'
import { AckPolicy, RetentionPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const connection = await connect({ servers: `127.0.0.1:${process.argv[2]}`, waitOnFirstConnect: true });
const manager = await jetstreamManager(connection);
await manager.streams.add({ name: 'S', subjects: ['s.>'], retention: RetentionPolicy.Interest });
const filtered = (filter_subject) => ({ durable_name: 'reader', ack_policy: AckPolicy.Explicit, filter_subject });
await manager.consumers.add('S', filtered('s.>'));
for (let index = 0; index < 3; index++) await jetstream(connection).publish('s.two', 'x');
const stored = async () => (await manager.streams.info('S')).state.messages;
const before = await stored();
await manager.consumers.update('S', 'reader', filtered('s.one'));
const narrowed = await stored();
await manager.consumers.update('S', 'reader', filtered('s.>'));
const widened = await stored();
await connection.close();
console.log(`stored: ${before}, after narrowing ${narrowed}, after widening again ${widened}`);
process.exitCode = before === 3 && narrowed === 0 && widened === 0 ? 0 : 1;
JS
node seen.mjs "$port"
# Seen: stored: 3, after narrowing 0, after widening again 0
