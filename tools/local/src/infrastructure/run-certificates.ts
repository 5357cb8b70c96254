import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { issue, makeAuthority } from '@aerie/server-settings';

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** As clients of TLS take it: what a server is verified by, and what is shown to it. */
export interface TlsIdentity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Who connects to a server: our programs, the one that migrates, and people with their taps and tests. */
const CLIENTS = [
  ...['mqtt-ingress', 'fleet-service', 'credential-service', 'mission-service', 'log-service'],
  ...['migrator', 'person'],
] as const;

/** Certificates of one run, from an authority that lives as long as its start: nothing can be signed by it afterwards. */
export class RunCertificates {
  private constructor(private readonly folder: string) {}

  /** The certificates of an earlier run are gone. */
  static async make(directory: string): Promise<RunCertificates> {
    const folder = path.join(directory, 'tls');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
    const write = (name: string, text: string): void =>
      writeFileSync(path.join(folder, name), text, { mode: 0o600, flag: 'wx' });
    const authority = await makeAuthority('Aerie on this machine');
    write('ca.crt', authority.certificate);
    const subjects = [{ name: 'server', hosts: ['127.0.0.1', 'localhost'] }, ...CLIENTS.map((name) => ({ name }))];
    for (const subject of subjects) {
      const { certificate, key } = await issue(authority, subject);
      write(`${subject.name}.crt`, certificate);
      write(`${subject.name}.key`, key);
    }
    return new RunCertificates(folder);
  }

  get ca(): string {
    return path.join(this.folder, 'ca.crt');
  }

  /** Of every server here: all of them listen at the same address. */
  get server(): CertificateFiles {
    return this.filesOf('server');
  }

  /** Of those that have none, such as a command of people, it is that of people. */
  clientOf(program: string): CertificateFiles {
    return this.filesOf((CLIENTS as readonly string[]).includes(program) ? program : 'person');
  }

  /** For taps, tests and looks at a server. */
  get person(): TlsIdentity {
    const { cert, key } = this.filesOf('person');
    const read = (file: string): string => readFileSync(file, 'utf8');
    return { ca: read(this.ca), cert: read(cert), key: read(key) };
  }

  /** Writes what opens something into a file that its program is told of. */
  keepSecret(program: string, name: string, secret: string): string {
    const folder = path.join(this.folder, program);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, name);
    writeFileSync(file, secret, { mode: 0o600 });
    return file;
  }

  private filesOf(name: string): CertificateFiles {
    return { cert: path.join(this.folder, `${name}.crt`), key: path.join(this.folder, `${name}.key`) };
  }
}
