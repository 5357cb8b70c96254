#!/usr/bin/env bash
# @nats-io/nats-core 3.4.0 with @nats-io/transport-node 3.4.0: what is published is written to the socket after the next
# microtask, not once a turn of the event loop. Messages that are published one after the other by promises that settle in the
# same turn, as the acknowledgements of a batch are, leave in a system call each, although no I/O came in between. The server,
# and whoever reads from it, is woken each time. In services that acknowledge some hundred messages a second this was up to a
# quarter of the CPU of the server and of each of them; corking the socket until the end of the turn took it away.
#
# Two hundred messages are published in one turn of the event loop: first all at once, then each after two settled promises.
#
# Needs Go (to build the pinned server), Node.js 20 and npm. Ends with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
GOBIN="$folder" GOFLAGS=-modcacherw GOPATH="$folder/go" go install github.com/nats-io/nats-server/v2@v2.10.27
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/nats-core@3.4.0 @nats-io/transport-node@3.4.0
port=$(node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})")
./nats-server -a 127.0.0.1 -p "$port" >server.log 2>&1 & server=$!
trap 'kill "$server"; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cat >count.cjs <<'JS'
const { Socket } = require('node:net');
const { connect } = require('@nats-io/transport-node');
let writes = 0;
for (const name of ['_write', '_writev']) {
  const original = Socket.prototype[name];
  Socket.prototype[name] = function (...given) {
    writes++;
    return original.apply(this, given);
  };
}
(async () => {
  const connection = await connect({ servers: `127.0.0.1:${process.argv[2]}`, waitOnFirstConnect: true });
  let turns = 0;
  const count = async (publish) => {
    await connection.flush();
    await new Promise((resolve) => setImmediate(resolve));
    [writes, turns] = [0, 0];
    const turn = setImmediate(() => turns++);
    await publish();
    const [told, inOneTurn] = [writes, turns === 0];
    clearImmediate(turn);
    await new Promise((resolve) => setImmediate(resolve));
    return { writes: Math.max(told, writes), inOneTurn };
  };
  const atOnce = await count(async () => {
    for (let index = 0; index < 200; index++) connection.publish('subject', 'x');
  });
  const settled = await count(async () => {
    for (let index = 0; index < 200; index++) {
      connection.publish('subject', 'x');
      await Promise.resolve();
      await Promise.resolve();
    }
  });
  await connection.close();
  console.log(`at once: ${atOnce.writes} writes; by promises of one turn (${settled.inOneTurn}): ${settled.writes} writes`);
  process.exitCode = atOnce.writes === 1 && settled.inOneTurn && settled.writes >= 100 ? 0 : 1;
})();
JS
node count.cjs "$port"
