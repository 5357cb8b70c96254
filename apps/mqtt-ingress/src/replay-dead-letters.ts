// Lists uplinks that were set aside with a reason, and with --send stores them again. See docs/architecture.md.
import { parseArgs } from 'node:util';
import { REPLAY_DEAD_LETTERS } from '@aerie/bus-contract';
import { JetStreamPublisher, connectNats } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { readCommandConfig } from '@aerie/service-host';
import { jetstreamManager } from '@nats-io/jetstream';
import { COMMANDS } from './config.js';
import { ReplayDeadLetters } from './uplink/replay.js';

const MAX_LETTERS = 1_000;

const HELP = `Usage: node apps/mqtt-ingress/dist/replay-dead-letters.js [options]     (needs NATS_URL)

Lists messages of docks that were set aside, one as JSON on each line, with the reason and whether they can be sent
again. Nothing is ever written to a dock, and nothing that could let a flight start is sent again.

  --overflow        list what streams refused while they were full, instead of what could not be read or handled
  --send            store what can be sent again, and take it from the list; safe to repeat
  --sn SN           of this dock or aircraft only
  --seq N           this one only; may be given several times
  --after N         with a number above N only, to go on where a list ended
  --limit N         at most so many, 1 to ${MAX_LETTERS} (default 100)
  --help
`;

const whole = (name: string, text: string | undefined, least: number, most: number, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  return fail(`--${name} must be a whole number, ${least} to ${most}, not "${text}"`);
};

function fail(message: string): never {
  process.stderr.write(`${message}\nSee --help.\n`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        overflow: { type: 'boolean', default: false },
        send: { type: 'boolean', default: false },
        sn: { type: 'string' },
        seq: { type: 'string', multiple: true },
        after: { type: 'string' },
        limit: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const values = readArguments();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const limit = whole('limit', values.limit, 1, MAX_LETTERS, 100);
const after = whole('after', values.after, 0, Number.MAX_SAFE_INTEGER, 0);
const seqs = values.seq?.map((text) => whole('seq', text, 1, Number.MAX_SAFE_INTEGER, 0));
if (values.sn !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(values.sn)) {
  fail(`--sn must be a serial number of 1 to 64 letters, digits, "-" or "_", not "${values.sn}"`);
}

const { NATS_URL } = readCommandConfig(COMMANDS['replay-dead-letters.js']);
const logger = createLogger('replay-dead-letters', 'warn', 'stderr');
const nats = await connectNats(NATS_URL, REPLAY_DEAD_LETTERS, logger);
const publisher = new JetStreamPublisher(nats, 5_000);
const replay = new ReplayDeadLetters(await jetstreamManager(nats), (...args) => publisher.store(...args), logger);
const from = values.overflow ? 'overflow' : 'dead';
const counts = { sent: 0, ready: 0, kept: 0 };
let lastSeq = 0;
for await (const letter of replay.run({ from, sn: values.sn, seqs, after, limit, send: values.send })) {
  counts[letter.replay]++;
  lastSeq = letter.seq;
  process.stdout.write(`${JSON.stringify(letter)}\n`);
}
await nats.close();
const shown = counts.sent + counts.ready + counts.kept;
process.stderr.write(
  `${shown} messages: ${counts.sent} sent again, ${counts.ready} could be sent (--send), ${counts.kept} stay` +
    `${shown === limit ? `; there may be more: --after ${lastSeq}` : ''}\n`,
);
