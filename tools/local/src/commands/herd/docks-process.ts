import { type DockHandle, startFleet } from '@aerie/dock-simulator';
import type { FromDocks, ToDocks } from './messages.js';

// A process of its own, so that hundreds of docks take no time from the one that measures. It ends with its parent.
const tell = (message: FromDocks): void => {
  process.send?.(message);
};

let docks: readonly DockHandle[] = [];

async function obey(message: ToDocks): Promise<void> {
  switch (message.kind) {
    case 'start': {
      const { snPrefix, connections, home, seed, osdIntervalMs, progressIntervalMs } = message;
      docks = await startFleet({
        count: connections.length,
        ...{ snPrefix, seed, osdIntervalMs, progressIntervalMs },
        position: home,
        // What is measured is over when they land.
        mediaBytes: 0,
        each: (_sn, number) => ownOf(connections[number - 1]),
        // Thousands come online at once, and each asks four questions first.
        onlineWithinMs: 300_000,
        onOnline: (online) => tell({ kind: 'online', online }),
      });
      tell({ kind: 'ready' });
      return;
    }
    case 'fault':
      for (const dock of only(message.sns)) dock.setFault(message.faults);
      return;
    case 'offline':
      await Promise.all(only(message.sns).map((dock) => dock.goOffline()));
      return;
    case 'speed':
      for (const dock of docks) dock.setSpeed(message.speed);
      return;
    case 'stop':
      await Promise.all(docks.map((dock) => dock.stop()));
      process.exit(0);
  }
}

function ownOf(connection: Extract<ToDocks, { kind: 'start' }>['connections'][number] | undefined) {
  if (connection === undefined) throw new Error('a dock has no credentials');
  const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = connection;
  return { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode };
}

function only(sns: readonly string[]): DockHandle[] {
  const wanted = new Set(sns);
  return docks.filter(({ sn }) => wanted.has(sn));
}

process.on('message', (message: ToDocks) => {
  obey(message).catch((error: unknown) => {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});
process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches this process too; the parent decides when the docks say goodbye.
process.on('SIGINT', () => undefined);
