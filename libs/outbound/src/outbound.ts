import { lookup as systemLookup } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { BlockList, type LookupFunction, Socket, isIP, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';

/** Nobody's server: the metadata services of clouds, which hand out keys, and addresses that are no host's. */
const NEVER = blockList([
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.0', 24],
  ['0.0.0.0', 8],
  ['224.0.0.0', 3],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
  ['64:ff9b::', 96],
  ['::', 128],
  ['ff00::', 8],
]);

/** Networks of the house: right for a server of one's own, wrong where strangers are tenants. */
const PRIVATE = blockList([
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
]);

const CONNECTIONS = 64;

type Connecting = HttpAgent & {
  createConnection: (options: { readonly host?: string }, callback: unknown) => Duplex | null | undefined;
};

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/**
 * Which addresses this service connects to for an organisation. A name is resolved once for each connection, and the
 * address that was checked is the one that is used, so a name that changes its mind in between gains nothing.
 */
export class Outbound {
  /** @param authorities that sign certificates of servers, as PEM; those of Node where there are none */
  constructor(
    private readonly allowPrivate: boolean,
    private readonly authorities?: readonly string[],
  ) {}

  /** Null where a connection is allowed, else why not. */
  refusalOf(address: string): string | null {
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (NEVER.check(address, family)) return 'lies where no server of yours is';
    if (!this.allowPrivate && PRIVATE.check(address, family))
      return 'lies in a private network, which is not allowed here';
    return null;
  }

  /** The same for a URL whose host is an address; a name is looked at when it is resolved. */
  refusalOfUrl(url: string): string | null {
    const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
    return isIP(host) === 0 ? null : this.refusalOf(host);
  }

  /** New connections by these agents go only where it is allowed. */
  agents(): Agents {
    const options = { keepAlive: true, maxSockets: CONNECTIONS, lookup: this.lookup };
    const ca = this.authorities === undefined ? {} : { ca: [...this.authorities] };
    return {
      httpAgent: this.guard(new HttpAgent(options)),
      httpsAgent: this.guard(new HttpsAgent({ ...options, ...ca })),
    };
  }

  /** A host that is an address is never looked up, so it is looked at here, whoever made the URL. */
  private guard<Kind extends HttpAgent>(agent: Kind): Kind {
    // Node documents it [http.Agent, createConnection]; its types of this release do not have it.
    const connecting = agent as HttpAgent as Connecting;
    const create = connecting.createConnection.bind(agent);
    connecting.createConnection = (options, callback) => {
      const host = (options.host ?? '').replace(/^\[(.*)\]$/, '$1');
      const reason = isIP(host) === 0 ? null : this.refusalOf(host);
      return reason === null ? create(options, callback) : refusedSocket(`${host} ${reason}`);
    };
    return agent;
  }

  private readonly lookup: LookupFunction = (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 4);
      const refused = addresses.map(({ address }) => this.refusalOf(address)).find((reason) => reason !== null);
      const [first] = addresses;
      if (refused !== undefined || first === undefined) {
        return callback(refusal(`${hostname} ${refused ?? 'has no address'}`), '', 4);
      }
      if (options.all === true) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

const refusal = (message: string): Error => Object.assign(new Error(message), { code: 'EADDRREFUSED' });

/** Fails as a connection fails: later, and to whoever asked for it. */
function refusedSocket(message: string): Socket {
  const socket = new Socket();
  process.nextTick(() => socket.destroy(refusal(message)));
  return socket;
}

function blockList(subnets: readonly (readonly [network: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, isIPv6(network) ? 'ipv6' : 'ipv4');
  return list;
}
