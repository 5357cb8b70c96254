import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { closureOf } from '../images/closure.js';
import { licencesOf } from './licences.js';
import { type Lockfile, isForeign, nameOf } from './lockfile.js';

/**
 * What one program runs on, as CycloneDX 1.6 in JSON: the packages that its image holds, each with the licence and the
 * SHA-512 of what npm installs. The same commit gives the same text.
 */
export function sbomOf(lockfile: Lockfile, program: string): string {
  const folders = closureOf(lockfile, `apps/${program}`);
  const licences = new Map(licencesOf(lockfile, folders).map((each) => [`${each.name}@${each.version}`, each.licence]));
  const bom = new Models.Bom();
  const version = lockfile['']?.version ?? '';
  bom.metadata.component = new Models.Component(Enums.ComponentType.Application, program, {
    ...{ bomRef: program, version, licenses: named('Apache-2.0') },
  });
  for (const folder of folders) {
    const locked = lockfile[folder];
    if (locked === undefined || !isForeign(folder, locked)) continue;
    const name = nameOf(folder, locked);
    const at = `${name}@${locked.version ?? ''}`;
    const [group, rest] = name.startsWith('@') ? (name.split('/') as [string, string]) : [undefined, name];
    bom.components.add(
      new Models.Component(Enums.ComponentType.Library, rest, {
        ...(group === undefined ? {} : { group }),
        ...{ bomRef: folder, version: locked.version ?? '', purl: `pkg:npm/${at.replace(/^@/, '%40')}` },
        ...{ licenses: named(licences.get(at)), hashes: hashesOf(locked.integrity) },
      }),
    );
  }
  const spec = Spec.Spec1dot6;
  return new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(spec)).serialize(bom, {
    ...{ sortLists: true, space: 2 },
  });
}

const named = (licence: string | undefined): Models.LicenseRepository =>
  new Models.LicenseRepository(licence === undefined ? [] : [new Models.SpdxLicense(licence)]);

/** `sha512-<base64>` of the lockfile, as CycloneDX writes it. */
function hashesOf(integrity: string | undefined): Models.HashDictionary {
  const base64 = /^sha512-(\S+)/.exec(integrity ?? '')?.[1];
  return new Models.HashDictionary(
    base64 === undefined ? [] : [[Enums.HashAlgorithm['SHA-512'], Buffer.from(base64, 'base64').toString('hex')]],
  );
}
