import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makeSampleKmz } from '@aerie/dock-simulator';
import { freePort } from '@aerie/loopback';
import { Infrastructure, newPassword } from '../infrastructure/infrastructure.js';
import { Problem } from '../infrastructure/problem.js';
import { endLeftOvers } from '../infrastructure/processes.js';
import { Api, good } from '../stack/api.js';
import { makeKeyFile } from '../stack/programs.js';
import { keyFileOf } from '../stack/services.js';
import { FormerUser } from './upgrade/former-user.js';
import { buildRelease, lastRelease } from './upgrade/previous-release.js';
import { Release, type Site } from './upgrade/release.js';
import { UpgradeStory } from './upgrade/story.js';
import { Traffic } from './upgrade/traffic.js';
import { Witness } from './upgrade/witness.js';

/**
 * An upgrade from the last release, and the way back, as docs/upgrading.md has them, with real programs of both releases and
 * docks that fly all the while. The last release is built from the commit that CHANGELOG.md names; it stays for the next run.
 */
export async function testUpgrade(root: string): Promise<number> {
  const say = (text: string): void => console.log(text);
  const last = lastRelease(readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8'));
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  if (last.version === version) {
    throw new Problem(
      `CHANGELOG.md names a commit for ${version}, which package.json still has: what comes next has no number.`,
    );
  }
  say(`From ${last.version} (${last.commit}) to ${version}`);
  const oldRoot = await buildRelease(root, last, say);
  const directory = path.join(root, '.aerie', 'upgrade');
  await endLeftOvers(directory);
  rmSync(directory, { recursive: true, force: true });

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const stopped = new Promise<never>((_resolve, reject) =>
    stop.signal.addEventListener('abort', () => reject(new Problem('Stopped.'))),
  );
  stopped.catch(() => undefined);

  const packagesDirectory = path.join(root, '.aerie', 'bin');
  const infrastructure = await Infrastructure.up({ directory, packagesDirectory, say, signal: stop.signal });
  const closers: (() => Promise<unknown>)[] = [() => infrastructure.stop()];
  try {
    const isGood = await Promise.race([
      run(infrastructure, { oldRoot, root, last: last.version, version, say, closers }),
      stopped,
    ]);
    if (isGood) rmSync(directory, { recursive: true, force: true });
    else say(`Logs of all programs: ${path.join(directory, 'logs')}`);
    return isGood ? 0 : 1;
  } finally {
    for (const close of closers.reverse()) await close().catch((error: unknown) => console.error(error));
  }
}

interface Run {
  readonly oldRoot: string;
  readonly root: string;
  readonly last: string;
  readonly version: string;
  readonly say: (text: string) => void;
  readonly closers: (() => Promise<unknown>)[];
}

async function run(
  infrastructure: Infrastructure,
  { oldRoot, root, last, version, say, closers }: Run,
): Promise<boolean> {
  makeKeyFile(keyFileOf(infrastructure.directory));
  const site: Site = {
    infrastructure,
    storage: { accessKeyId: 'aerie-local', secretAccessKey: newPassword() },
    storagePort: await freePort(),
    env: {
      // A start is not put off, and a dock that is busy with a switch of programs is not given up.
      'mission-service': { MISSION_EXECUTE_LEAD_MS: '0', MISSION_START_WINDOW_MS: '30000' },
      'log-service': { LOG_COLLECT_ON_FAILURE: 'off' },
    },
    say,
  };
  const formerUser = await FormerUser.make(infrastructure.databaseUrl);
  const before = await Release.of({ version: last, root: oldRoot, oneUserUrl: formerUser.url }, site);
  const after = await Release.of({ version, root }, site);
  closers.push(() => Promise.all([before.stopAll(), after.stopAll()]));
  // A storage of any maker: it is no part of either release.
  await after.start('object-store');
  await before.migrate();
  const key = (await before.run('fleet-service', 'create-api-key.js', '--name', 'upgrade')).trim();
  const { username, password } = infrastructure.logins.observer;
  const witness = await Witness.connect(infrastructure.mqttUrl, username, password);
  closers.push(() => witness.close());
  await before.start('fleet-service', 'credential-service', 'mission-service', 'log-service', 'mqtt-ingress', 'edge');
  const doors = { before: new Api(before.apiUrl, key), after: new Api(after.apiUrl, key) };
  const kmz = await makeSampleKmz({ originLatitude: 46.5, originLongitude: 6.6, waypoints: 3, aircraft: 'M3TD' });
  const { id: waylineId } = good(await doors.before.upload<{ id: string }>('/waylines?name=upgrade', kmz));
  const traffic = new Traffic(doors.before, waylineId);
  closers.push(() => traffic.stop());
  const story = await UpgradeStory.begin({ before, after, doors, traffic, witness, infrastructure, formerUser, say });
  await story.tell();
  return story.judge();
}
