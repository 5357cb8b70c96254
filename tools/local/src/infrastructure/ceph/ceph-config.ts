import path from 'node:path';

export interface CephSettings {
  /** Where this cluster keeps everything. */
  readonly directory: string;
  /** Where the Debian packages lie; their programs look for plugins below /usr otherwise. */
  readonly libraries: string;
  readonly clusterId: string;
  readonly monitorPort: number;
  readonly gatewayPort: number;
  /** Encrypts session tokens: exactly 16 characters. */
  readonly tokenKey: string;
}

/** Sparse: it takes what is written to it, some tens of megabytes for a run of the tests. */
const DISK_BYTES = 4 * 2 ** 30;

/**
 * One monitor, one disk, one gateway, on loopback alone. A manager is left out: nothing here asks for statistics.
 * Everything is logged to standard error. Sockets for administration are off: their paths may have only 107 characters.
 */
export function cephConfig(settings: CephSettings): string {
  const { directory, libraries, clusterId, monitorPort, gatewayPort, tokenKey } = settings;
  const below = (name: string): string => path.join(directory, name);
  return `[global]
fsid = ${clusterId}
mon host = [v2:127.0.0.1:${monitorPort}]
ms bind msgr1 = false
public addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${below('keyring')}
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
log file =
log to stderr = true
admin socket =
pid file =
run dir = ${directory}
osd class dir = ${path.join(libraries, 'rados-classes')}
erasure code dir = ${path.join(libraries, 'ceph/erasure-code')}
plugin dir = ${path.join(libraries, 'ceph')}
mon data = ${below('mon')}
osd data = ${below('osd')}
osd objectstore = bluestore
bluestore block size = ${DISK_BYTES}
rgw data = ${below('rgw')}
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw s3 auth use sts = true
rgw sts key = ${tokenKey}
rgw sts min session duration = 1
`;
}
