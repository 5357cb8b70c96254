import { type Channel, topicFor } from '@aerie/dji-protocol';

export interface Acl {
  readonly acltype: 'publishClientSend' | 'publishClientReceive' | 'subscribeLiteral' | 'unsubscribePattern';
  readonly topic: string;
  readonly allow: true;
}

const DOCK_WRITES: readonly Channel[] = [
  'osd',
  'state',
  'events',
  'requests',
  'services_reply',
  'property/set_reply',
  'drc/up',
  'status',
];
const DOCK_READS: readonly Channel[] = [
  'services',
  'events_reply',
  'requests_reply',
  'state_reply',
  'property/set',
  'drc/down',
  'status_reply',
];
/** [seen on real docks] Under the aircraft's serial number a dock publishes these, and may await these answers. */
const AIRCRAFT_WRITES: readonly Channel[] = ['osd', 'state', 'events'];
const AIRCRAFT_READS: readonly Channel[] = ['events_reply', 'state_reply'];

/** All that a dock may do at the broker; everything else is refused. Topics are exact: a wildcard is another topic. */
export function dockAcls(dockSn: string, aircraftSns: readonly string[]): Acl[] {
  return [
    // Whoever ends a subscription ends his own.
    allow('unsubscribePattern', '#'),
    ...acls(dockSn, DOCK_WRITES, DOCK_READS),
    ...aircraftSns.flatMap((sn) => acls(sn, AIRCRAFT_WRITES, AIRCRAFT_READS)),
  ];
}

function acls(sn: string, writes: readonly Channel[], reads: readonly Channel[]): Acl[] {
  return [
    ...writes.map((channel) => allow('publishClientSend', topicFor(channel, sn))),
    ...reads.flatMap((channel) => {
      const topic = topicFor(channel, sn);
      return [allow('subscribeLiteral', topic), allow('publishClientReceive', topic)];
    }),
  ];
}

const allow = (acltype: Acl['acltype'], topic: string): Acl => ({ acltype, topic, allow: true });
