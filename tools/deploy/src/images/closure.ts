/** What `package-lock.json` says of one installed folder; its key is the path of that folder from the root. */
export interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  /** A link to one of our own projects, which lies at `resolved`. */
  readonly link?: boolean;
  readonly resolved?: string;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/**
 * The folders that a program needs to run, by their paths from the root: its own, those of our libraries and of every
 * package that one of them depends on. As npm resolves them, development dependencies left out. A peer that may be missing
 * is left out too: what a program wants of such a library, it declares itself.
 * @throws Error when something that is not optional is nowhere in the lockfile
 */
export function closureOf(packages: LockedPackages, project: string): string[] {
  const wanted = new Set<string>();
  const open = [project];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const found = packages[folder];
    if (found === undefined) throw new Error(`package-lock.json has no ${folder}`);
    if (wanted.has(folder)) continue;
    wanted.add(folder);
    if (found.link === true) {
      open.push(found.resolved ?? '');
      continue;
    }
    for (const [name, isOptional] of dependenciesOf(found)) {
      const at = resolve(packages, folder, name);
      if (at !== undefined) open.push(at);
      else if (!isOptional) throw new Error(`${folder} needs ${name}, which package-lock.json has nowhere`);
    }
  }
  return [...wanted].sort();
}

function dependenciesOf(found: LockedPackage): Map<string, boolean> {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = found;
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return new Map([
    ...[...Object.keys(dependencies), ...peers].map((name) => [name, false] as const),
    ...Object.keys(optionalDependencies).map((name) => [name, true] as const),
  ]);
}

/** The nearest one above, as Node.js looks for it. */
function resolve(packages: LockedPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/'), 0))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (candidate in packages) return candidate;
    if (folder === '') return undefined;
  }
}
