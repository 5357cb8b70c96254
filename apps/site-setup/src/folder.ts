import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The folder of one container: files that its user alone may read. */
export class Folder {
  constructor(
    private readonly directory: string,
    private readonly owner?: Owner,
  ) {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o700);
    this.giveAway(directory);
  }

  read(name: string): string | undefined {
    const file = path.join(this.directory, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  /** Whole or not at all: the start may be killed in the middle. @returns whether anything changed */
  write(name: string, content: string): boolean {
    if (this.read(name) === content) {
      this.giveAway(path.join(this.directory, name));
      return false;
    }
    const file = path.join(this.directory, name);
    const unfinished = `${file}.new`;
    writeFileSync(unfinished, content, { mode: 0o600 });
    this.giveAway(unfinished);
    renameSync(unfinished, file);
    return true;
  }

  /** What is there, else what `make` makes of nothing. */
  keep(name: string, make: () => string): string {
    const kept = this.read(name);
    const content = kept ?? make();
    this.write(name, content);
    return content;
  }

  private giveAway(file: string): void {
    if (this.owner !== undefined) chownSync(file, this.owner.uid, this.owner.gid);
  }
}
