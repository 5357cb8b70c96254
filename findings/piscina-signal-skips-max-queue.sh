#!/usr/bin/env bash
# piscina 5.3.2: tasks that are run with an AbortSignal are not counted by maxQueue.
#
# With two threads and maxQueue 4, forty tasks at once: without a signal six are taken and 34 are refused with "Task queue
# is at limit"; with a signal, which is the way to give a task a time limit, all forty are taken. Whoever relies on
# maxQueue to bound memory while he sets time limits has no bound, and needs to count by himself.
#
# Needs Node.js 20 and npm. Ends with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund piscina@5.3.2
cat >worker.mjs <<'JS'
export default () => new Promise((resolve) => setTimeout(resolve, 50, 'done'));
JS
cat >seen.mjs <<'JS'
import piscina from 'piscina';

async function refusedOf(options) {
  const pool = new piscina.Piscina({ filename: new URL('./worker.mjs', import.meta.url).href, maxThreads: 2, maxQueue: 4 });
  const tasks = await Promise.allSettled(Array.from({ length: 40 }, () => pool.run(null, options())));
  await pool.destroy();
  return tasks.filter(({ status }) => status === 'rejected').length;
}

const without = await refusedOf(() => ({}));
const withSignal = await refusedOf(() => ({ signal: new AbortController().signal }));
console.log(`refused of 40: ${without} without a signal, ${withSignal} with one`);
process.exitCode = without === 34 && withSignal === 0 ? 0 : 1;
JS
node seen.mjs
# Seen: refused of 40: 34 without a signal, 0 with one
