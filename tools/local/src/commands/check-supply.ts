import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { closureOf, licenceFaults, licencesOf, lockfileFaults, readLockfile, sbomOf } from '@aerie/deploy';

/**
 * What comes from others: the lockfile, licences and known holes of what the programs run on. With `--sbom` the list of each program is
 * written there. What could not be looked at is said.
 */
export function checkSupply(root: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { sbom: { type: 'string' } } });
  const lockfile = readLockfile(root);
  const programs = readdirSync(path.join(root, 'apps')).sort();
  const folders = [...new Set(programs.flatMap((program) => closureOf(lockfile, `apps/${program}`)))];
  const packages = licencesOf(lockfile, folders);
  const faults = [...lockfileFaults(lockfile), ...licenceFaults(packages)];
  const byLicence = new Map<string, number>();
  for (const { licence = 'none is named' } of packages) byLicence.set(licence, (byLicence.get(licence) ?? 0) + 1);
  console.log(`The programs run on ${packages.length} packages of others:`);
  for (const [licence, count] of [...byLicence].sort((a, b) => b[1] - a[1]))
    console.log(`  ${String(count).padStart(4)} ${licence}`);

  const audit = spawnSync('npm', ['audit', '--omit=dev', '--package-lock-only'], { cwd: root, encoding: 'utf8' });
  if (audit.status === 0) console.log('npm audit: no hole is known.');
  else if (/endpoint returned an error|ENOTFOUND|ECONNREFUSED|EAI_AGAIN/.test(audit.stderr))
    console.log('npm audit: this registry does not answer such questions, so known holes were not looked for.');
  else faults.push(`npm audit:\n${audit.stdout}${audit.stderr}`);

  if (values.sbom !== undefined) {
    const folder = path.resolve(root, values.sbom);
    mkdirSync(folder, { recursive: true });
    for (const program of programs) writeFileSync(path.join(folder, `${program}.cdx.json`), sbomOf(lockfile, program));
    console.log(`Wrote ${programs.length} lists in CycloneDX 1.6 to ${folder}.`);
  }
  for (const fault of faults) console.error(fault);
  return Promise.resolve(faults.length === 0 ? 0 : 1);
}
