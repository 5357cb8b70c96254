// What each command of package.json takes. `bootstrap.mjs` answers `--help` and refuses what is misspelt from here, before
// anything is installed, built or started; so Node alone runs this file.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const flag = { type: 'boolean' };

/** A whole number within bounds, as the value of an option. */
const whole = (from, to) => (value) =>
  /^\d+$/.test(value) && Number(value) >= from && Number(value) <= to
    ? undefined
    : `must be a whole number from ${from} to ${to}`;

const oneOf =
  (...words) =>
  (value) =>
    words.includes(value) ? undefined : `must be one of ${words.join(', ')}`;

const file = { usage: 'FILE', least: 1, most: 1 };
const nothing = { usage: '', least: 0, most: 0 };

export const SUITES = ['unit', 'int', 'scenario', 'storage'];

/** By their names in `tools/bootstrap.mjs`. `npm` is what people type. */
export const COMMANDS = {
  start: {
    npm: 'npm start',
    does: 'Installs, builds, starts everything, flies one mission with a simulated dock, and stays up until Ctrl-C.',
    options: {
      once: [flag, 'fly one mission and stop; exit code 0 only if it succeeded'],
      port: [text, 'PORT', 'of the API (default 8080, or any free one)', whole(1, 65_535)],
      speed: [text, 'FACTOR', 'simulated seconds per second of the docks (default 20)', whole(1, 1_000)],
      'no-flight': [flag, 'without the demonstration flight; the three docks come online all the same'],
      fresh: [flag, 'forget all data of earlier runs first'],
      'keep-key': [flag, 'the API key of the start before goes on being valid, if that had --keep-key too'],
    },
    rest: nothing,
  },
  test: {
    npm: 'npm test',
    does: 'Format, lint, then unit, int, scenario and storage tests. Takes about half an hour without arguments.',
    options: { 'no-lint': [flag, 'leave format and lint out'] },
    rest: {
      usage: '[unit|int|scenario|storage] [PATTERN of test files] [options of jest, --name=VALUE]',
      check: checkTests,
    },
  },
  'test-storage': {
    npm: 'npm run test:storage',
    does: 'One list of what a storage must hold, on our object-store and on a real Ceph (Debian 12 alone).',
    options: {},
    rest: { usage: '[object-store|ceph] [PATTERN of test files]', check: checkStorageTests },
  },
  doctor: {
    npm: 'npm run doctor',
    does: 'Examines the Aerie that runs here, or the programs that are named, and says what to do. Exit code 0: nothing.',
    options: {
      json: [flag, 'findings as JSON'],
      programs: [text, 'NAME=URL,…', 'programs elsewhere, by the address of their health and metrics'],
      ca: [text, 'FILE', 'authorities of those, PEM, where they speak TLS'],
    },
    rest: nothing,
  },
  'storage-doctor': {
    npm: 'npm run storage:doctor',
    does: 'Tries the storage as a dock would, and says what to change.',
    options: {},
    rest: nothing,
  },
  'test-deep': {
    npm: 'npm run test:deep',
    does: 'The property tests of the pure parts, a hundred times as often as npm test. It takes hours, and says nothing meanwhile.',
    options: {},
    rest: { usage: '[RUNS of each, default 100000]', least: 0, most: 1, each: whole(1, 1_000_000_000) },
  },
  'test-outages': {
    npm: 'npm run test:outages',
    does: 'Random programs are killed, and no mission may start after its deadline. AERIE_SEED repeats a run.',
    options: {},
    rest: { usage: '[OUTAGES, default 20]', least: 0, most: 1, each: whole(1, 1_000) },
  },
  'test-upgrade': {
    npm: 'npm run test:upgrade',
    does: 'From the last release to this one and back while missions fly. The first run builds that release; later ones take five minutes.',
    options: {},
    rest: nothing,
  },
  'test-replicas': {
    npm: 'npm run test:replicas',
    does: 'Two of every service under load: rolling restarts, kills of each, and what two accept. AERIE_SEED repeats a run.',
    options: {},
    rest: { usage: '[DOCKS, default 100]', least: 0, most: 1, each: whole(10, 500) },
  },
  'test-brokers': {
    npm: 'npm run test:brokers',
    does: 'Stories on HiveMQ in place of mosquitto, which asks fleet-service about docks. Needs Java 17 and Maven; takes eight minutes.',
    options: {},
    rest: nothing,
  },
  'test-hosts': {
    npm: 'npm run test:hosts',
    does: 'Three hosts as network namespaces: packets of one after the other vanish while missions fly. Linux, as root; takes a quarter of an hour. AERIE_SEED repeats a run.',
    options: {},
    rest: { usage: '[SECONDS of each cut, default 30]', least: 0, most: 1, each: whole(5, 600) },
  },
  'test-walls': {
    npm: 'npm run test:walls',
    does: 'The walls between organisations, and whether a request takes as long for a thing of another one as for none. Takes three minutes.',
    options: {},
    rest: { usage: '[PAIRS of requests for each operation, default 500]', least: 0, most: 1, each: whole(10, 100_000) },
  },
  'test-fuzz': {
    npm: 'npm run test:fuzz',
    does: 'Schemathesis asks every operation of docs/api for what it allows and what it forbids. Needs Python 3.10; takes ten minutes. AERIE_SEED repeats a run.',
    options: {},
    rest: { usage: '[REQUESTS of each operation and phase, default 50]', least: 0, most: 1, each: whole(1, 100_000) },
  },
  'drill-restore': {
    npm: 'npm run drill:restore',
    does: 'A private Aerie is backed up under load, loses everything, is restored, and is looked at. Takes five minutes.',
    options: {},
    rest: nothing,
  },
  'test-images': {
    npm: 'npm run test:images',
    does: 'Builds the image of every program, starts docker/compose.yml, flies a mission, restarts each container, flies again.',
    options: {
      static: [flag, 'without an engine: look at the Dockerfile, the Compose file and the manifests of k8s/'],
      'stand-ins': [
        flag,
        'where no registry of images answers: base and servers made of packages of Debian and npm, as root',
      ],
    },
    rest: nothing,
  },
  'test-node': {
    npm: 'npm run test:node',
    does: 'Unit and int tests on another Node.js, which the npm registry ships.',
    options: {},
    rest: { usage: '[MAJOR, default 24]', least: 0, most: 1, each: whole(20, 99) },
  },
  size: {
    npm: 'npm run size',
    does: 'Replicas, cores, memory and disk for a fleet, from measured costs.',
    options: {
      docks: [text, 'N', '1 to 1000000 (default 100)', whole(1, 1_000_000)],
      'flights-per-day': [text, 'N', 'of each dock, 0 to 200 (default 5)', whole(0, 200)],
      minutes: [text, 'N', 'that a flight takes, 1 to 120 (default 25)', whole(1, 120)],
      photos: [text, 'N', 'of a flight, 0 to 10000 (default 50)', whole(0, 10_000)],
      herd: [text, 'N', 'missions that start at one instant (default: one dock of twenty)', whole(0, 1_000_000)],
      json: [flag, 'as JSON'],
    },
    rest: nothing,
  },
  'check-deploy': {
    npm: 'npm run check:deploy',
    does: 'Renders each overlay of k8s/, and judges every object by its schema and by policy. Needs kubectl or kustomize.',
    options: { server: [flag, 'let the API server that kubectl reaches judge too'] },
    rest: nothing,
  },
  'check-supply': {
    npm: 'npm run check:supply',
    does: 'What comes from others: the lockfile, licences and known holes of what the programs run on.',
    options: { sbom: [text, 'FOLDER', 'write a list of what each program runs on there, in CycloneDX 1.6'] },
    rest: nothing,
  },
  'check-metrics': {
    npm: 'npm run check:metrics',
    does: 'Tests the alerts of docker/ with promtool where it is on PATH, and compares their metrics with a running Aerie.',
    options: {},
    rest: nothing,
  },
  replay: {
    npm: 'npm run replay',
    does: 'An exported timeline through the lifecycle as it is now. FILE may be - for standard input.',
    options: {},
    rest: file,
  },
  down: {
    npm: 'npm run down',
    does: 'Ends the Aerie that runs in this folder, or what a killed run left behind.',
    options: {},
    rest: nothing,
  },
  sim: {
    npm: 'npm run sim',
    does: 'Simulated docks, on the running Aerie (--register) or on any broker. docs/simulator.md tells each option.',
    options: {
      register: [text, 'N', 'register N docks in the running Aerie and fly them there', whole(1, 500)],
      docks: [text, 'N', 'how many (default 1, or all of the credentials file)', whole(1, 100_000)],
      ...Object.fromEntries(
        [
          ...[
            'model',
            'aircraft',
            'faults',
            'personality',
            'seed',
            'mqtt-url',
            'mqtt-ca',
            'mqtt-user',
            'mqtt-password',
            'credentials',
          ],
          ...['sn-prefix', 'mqtt-version', 'qos', 'speed', 'duration', 'position', 'battery', 'dialect'],
          ...['ask-resource', 'osd-interval', 'progress-interval', 'media-bytes', 'log-bytes', 'log-boots'],
          ...['binding-code', 'organisation-id'],
        ].map((name) => [name, [text, 'VALUE', '']]),
      ),
      'forget-on-reboot': [flag, ''],
      'keep-session': [flag, ''],
      'extra-events': [flag, ''],
    },
    rest: nothing,
  },
  inspect: {
    npm: 'npm run inspect',
    does: 'What Aerie makes of messages, one JSON line {"topic","payload"} each. FILE may be - for standard input.',
    options: {},
    rest: file,
  },
  'bench-uplink': {
    npm: 'npm run bench:uplink',
    does: 'Control messages that one ingress stores in a second.',
    options: { messages: [text, 'N', '1000 to 1000000 (default 20000)', whole(1_000, 1_000_000)] },
    rest: nothing,
  },
  'bench-credentials': {
    npm: 'npm run bench:credentials',
    does: 'Docks that ask for keys within one second.',
    options: { docks: [text, 'N', '1 to 2000 (default 500)', whole(1, 2_000)] },
    rest: nothing,
  },
  'bench-cost': {
    npm: 'npm run bench:cost',
    does: 'What a mission, a progress message and a message of telemetry cost.',
    options: {
      json: [text, 'FILE', 'write the figures there too'],
      product: [text, 'DIR', 'measure another checkout, which must be built'],
      messages: [text, 'N', '1 to 100000 (default 3000)', whole(1, 100_000)],
      docks: [text, 'N', '1 to 500 (default 40)', whole(1, 500)],
      flown: [text, 'N', 'docks that fly a whole mission, 1 to 500 (default 100)', whole(1, 500)],
      traces: [flag, 'with traces on'],
    },
    rest: nothing,
  },
  'bench-air': {
    npm: 'npm run bench:air',
    does: 'What docks in the air cost by the second, in real time, and whether anything falls behind.',
    options: {
      docks: [text, 'N', '1 to 1000 (default 300)', whole(1, 1_000)],
      minutes: [text, 'N', '1 to 12 (default 10)', whole(1, 12)],
      json: [text, 'FILE', 'write the figures there too'],
    },
    rest: nothing,
  },
  'bench-fleet': {
    npm: 'npm run bench:fleet',
    does: 'What docks at rest cost by the second, in real time, and whether any program holds more and more memory.',
    options: {
      docks: [text, 'N', '1 to 5000 (default 2000)', whole(1, 5_000)],
      minutes: [text, 'N', '1 to 120 (default 10)', whole(1, 120)],
      json: [text, 'FILE', 'write the figures there too'],
    },
    rest: nothing,
  },
  'bench-fairness': {
    npm: 'npm run bench:fairness',
    does: 'What other docks notice when one dock floods, and when log-service stands still.',
    options: { seconds: [text, 'N', 'of each round, 10 to 3600 (default 60)', whole(10, 3_600)] },
    rest: nothing,
  },
  'bench-held': {
    npm: 'npm run bench:held',
    does: 'What a transaction that is held open, and the missions of months, add to the cost of a progress message.',
    options: {
      flights: [text, 'N', 'on each of the two that are compared, 1 to 300 (default 60)', whole(1, 300)],
      minutes: [text, 'N', 'for which the transaction is held at least, 1 to 60 (default 10)', whole(1, 60)],
      missions: [text, 'N', 'that have ended, 0 to 1000000 (default 100000)', whole(0, 1_000_000)],
      burden: [text, 'WHICH', 'both (default), snapshot or missions', oneOf('both', 'snapshot', 'missions')],
      json: [text, 'FILE', 'write the figures there too'],
    },
    rest: nothing,
  },
  'bench-herd': {
    npm: 'npm run bench:herd',
    does: 'Missions that are all due at one instant, on one simulated dock each.',
    options: {
      missions: [text, 'N', '1 to 5000 (default 500)', whole(1, 5_000)],
      'silent-percent': [text, 'P', 'docks that do not answer, 0 to 90 (default 1)'],
      seed: [text, 'S', 'of what is random'],
      lead: [text, 'SECONDS', '5 to 3600, from the first request to the instant', whole(5, 3_600)],
    },
    rest: nothing,
  },
  'docs-api': {
    npm: 'npm run docs:api',
    does: 'Writes docs/api and the tables of docs/access.md, docs/settings.md and docs/metrics.md anew.',
    options: { check: [flag, 'write nothing; exit code 1 if it is out of date'] },
    rest: nothing,
  },
  'docs-missions': {
    npm: 'npm run docs:missions',
    does: 'Writes the tables of docs/missions.md anew.',
    options: { check: [flag, 'write nothing; exit code 1 if they are out of date'] },
    rest: nothing,
  },
  'docs-trace': {
    npm: 'npm run docs:trace',
    does: 'Flies one mission with traces on, and writes its trace into docs/traces.md.',
    options: {},
    rest: nothing,
  },
};

/**
 * What to say and with which exit code, or undefined when the command can run.
 * @param {string} root
 * @param {string} name
 * @param {readonly string[]} args
 */
export function answerAtOnce(root, name, args) {
  if (!Object.hasOwn(COMMANDS, name)) {
    return { code: 2, text: `There is no command "${name}". There are: ${Object.keys(COMMANDS).join(', ')}.` };
  }
  const command = COMMANDS[name];
  if (args.includes('--help') || args.includes('-h')) return { code: 0, text: helpOf(command) };
  const problem = swallowedByNpm(command, process.env) ?? problemOf(root, command, args);
  return problem === undefined ? undefined : { code: 2, text: `${problem}\n\n${helpOf(command)}` };
}

/**
 * `npm start --fresh` hands `--fresh` to npm and not to us; npm only warns. Names that npm has itself are left out.
 * @param {NodeJS.ProcessEnv} env
 */
export function swallowedByNpm({ npm, options }, env) {
  for (const name of Object.keys(options)) {
    // `--no-flight` arrives as the option `flight` that is off.
    const [asked, value] = name.startsWith('no-') ? [name.slice(3), ''] : [name, undefined];
    const given = env[`npm_config_${asked.replaceAll('-', '_')}`];
    if (given === undefined || NPM_HAS_TOO.has(name) || (value !== undefined && given !== value)) continue;
    return `npm has taken --${name} for its own option. Write two dashes before it: ${npm} -- --${name}`;
  }
  return undefined;
}

const NPM_HAS_TOO = new Set(['json']);

function problemOf(root, { options, rest }, args) {
  const known = Object.fromEntries(Object.entries(options).map(([name, [type]]) => [name, type]));
  if (rest.check !== undefined) return rest.check(root, args);
  let parsed;
  try {
    parsed = parseArgs({ args, options: known, allowPositionals: true });
  } catch (error) {
    // What follows the first sentence is about positionals, which nobody meant.
    return error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? error.message.split('. ')[0] : error.message;
  }
  for (const [name, value] of Object.entries(parsed.values)) {
    const fault = options[name][3]?.(value);
    if (fault !== undefined) return `--${name} ${fault}, not "${value}"`;
  }
  // A single dash is standard input, which parseArgs takes for a positional.
  const { positionals } = parsed;
  if (positionals.length > rest.most) {
    const tooMuch = positionals[rest.most];
    return Object.hasOwn(options, tooMuch)
      ? `"${tooMuch}" is not understood; did you mean --${tooMuch}?`
      : `"${tooMuch}" is too much: ${rest.most === 0 ? 'there are options only' : `it takes ${rest.usage}`}.`;
  }
  if (positionals.length < rest.least) return `${rest.usage} is missing.`;
  for (const value of positionals) {
    const fault = rest.each?.(value);
    if (fault !== undefined) return `"${value}" ${fault}`;
  }
  return undefined;
}

function helpOf({ npm, does, options, rest }) {
  const lines = Object.entries(options).map(([name, [type, ...words]]) => {
    const [value, what] = type.type === 'string' ? words : ['', words[0]];
    return `  ${`--${name} ${value}`.padEnd(24)} ${what}`.trimEnd();
  });
  const takes = [lines.length === 0 ? '' : '[options]', rest.usage].filter((part) => part !== '').join(' ');
  const usage = takes === '' ? npm : `${npm} -- ${takes}`;
  return [`Usage: ${usage}`, does, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
}

const ENDINGS = {
  unit: /(?<!\.int)\.spec\.ts$/,
  int: /\.int\.spec\.ts$/,
  scenario: /\.scenario\.ts$/,
  storage: /\.storage\.ts$/,
};

/** Options of jest that mean something here. Those with a value are written with `=`, so that no value passes for a pattern. */
const JEST_FLAGS = [
  '--bail',
  '--ci',
  '--coverage',
  '--detectOpenHandles',
  '--forceExit',
  '--onlyFailures',
  '--randomize',
];
JEST_FLAGS.push('--runInBand', '-i', '--silent', '--verbose');
const JEST_VALUES = ['--bail', '--maxWorkers', '--seed', '--shard', '--testNamePattern', '--testTimeout'];

function checkOption(arg) {
  if (arg === '--no-lint' || JEST_FLAGS.includes(arg)) return undefined;
  const [name] = arg.split('=');
  if (JEST_VALUES.includes(name) && arg.includes('=')) return undefined;
  if (JEST_VALUES.includes(name) || arg === '-t') {
    return `${arg} needs its value behind an equals sign: ${arg === '-t' ? '--testNamePattern' : name}=VALUE`;
  }
  const all = [...JEST_FLAGS, ...JEST_VALUES.map((each) => `${each}=VALUE`)];
  return `Unknown option '${arg}'. Besides --no-lint there are these of jest: ${all.join(', ')}.`;
}

/** A word that is no suite is a pattern of jest; one that fits no test file would cost a set-up and test nothing. */
function checkTests(root, args) {
  const suites = SUITES.filter((suite) => args.includes(suite));
  const patterns = args.filter((arg) => !arg.startsWith('-') && !SUITES.includes(arg));
  for (const arg of args.filter((each) => each.startsWith('-'))) {
    const fault = checkOption(arg);
    if (fault !== undefined) return fault;
  }
  return checkPatterns(root, suites.length === 0 ? SUITES : suites, patterns);
}

function checkStorageTests(root, args) {
  const patterns = args.filter((arg) => !arg.startsWith('-') && arg !== 'object-store' && arg !== 'ceph');
  return checkPatterns(root, ['storage'], patterns);
}

function checkPatterns(root, suites, patterns) {
  if (patterns.length === 0) return undefined;
  // Jest matches what was compiled.
  const files = testFiles(root)
    .filter((name) => suites.some((suite) => ENDINGS[suite].test(name)))
    .map((name) => path.join(root, name.replace(/([\\/])src([\\/])/, '$1dist$2').replace(/\.ts$/, '.js')));
  for (const pattern of patterns) {
    let expression;
    try {
      expression = new RegExp(pattern, 'i');
    } catch (error) {
      return `"${pattern}" is neither a suite (${SUITES.join(', ')}) nor a pattern: ${error.message}`;
    }
    if (!files.some((name) => expression.test(name))) {
      return `"${pattern}" is neither a suite (${SUITES.join(', ')}) nor a part of the path of any test of ${suites.join(', ')}.`;
    }
  }
  return undefined;
}

function testFiles(root) {
  const found = [];
  for (const part of ['apps', 'libs', 'tools']) {
    for (const project of readdirSync(path.join(root, part), { withFileTypes: true })) {
      const source = path.join(part, project.name, 'src');
      if (!project.isDirectory()) continue;
      try {
        for (const name of readdirSync(path.join(root, source), { recursive: true }))
          found.push(path.join(source, name));
      } catch {
        // A project without sources.
      }
    }
  }
  return found;
}
