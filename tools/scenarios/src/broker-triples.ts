/**
 * What a dock may do at the broker, written down by hand from docs/protocol.md and never made of the code that sets the
 * rules: `+` is its serial number, or that of one of its aircraft.
 */
const DOCK_PUBLISHES = [
  ...['thing/product/+/osd', 'thing/product/+/state', 'thing/product/+/events', 'thing/product/+/requests'],
  ...['thing/product/+/services_reply', 'thing/product/+/property/set_reply', 'thing/product/+/drc/up'],
  'sys/product/+/status',
];
/** It may subscribe `drc/down` as well, where nothing arrives: nobody may publish there. */
const DOCK_SUBSCRIBES = [
  ...['thing/product/+/services', 'thing/product/+/events_reply', 'thing/product/+/requests_reply'],
  ...['thing/product/+/state_reply', 'thing/product/+/property/set'],
  'sys/product/+/status_reply',
];
const AIRCRAFT_PUBLISHES = ['thing/product/+/osd', 'thing/product/+/state', 'thing/product/+/events'];
const AIRCRAFT_SUBSCRIBES = ['thing/product/+/events_reply', 'thing/product/+/state_reply'];

/** By the serial number of a dock, those of its aircraft. */
export type Fleet = Readonly<Record<string, readonly string[]>>;

export interface Triple {
  readonly sn: string;
  readonly topic: string;
  readonly action: 'publish' | 'subscribe';
}

const isSaid = (forms: readonly string[], topic: string, sn: string): boolean =>
  forms.some((form) => form.replace('+', sn) === topic);

export function isAllowed(fleet: Fleet, { sn, topic, action }: Triple): boolean {
  const [own, ofAircraft] =
    action === 'publish' ? [DOCK_PUBLISHES, AIRCRAFT_PUBLISHES] : [DOCK_SUBSCRIBES, AIRCRAFT_SUBSCRIBES];
  return isSaid(own, topic, sn) || (fleet[sn] ?? []).some((aircraft) => isSaid(ofAircraft, topic, aircraft));
}

/** Topics on which something is published, so that a subscription shows whether it was taken. */
export const topicsOf = (fleet: Fleet): readonly string[] =>
  [...Object.keys(fleet), ...Object.values(fleet).flat()].flatMap((sn) =>
    DOCK_SUBSCRIBES.map((form) => form.replace('+', sn)),
  );

const FORMS = [
  ...DOCK_PUBLISHES,
  ...DOCK_SUBSCRIBES,
  ...['thing/product/+/osd_reply', 'thing/product/+', 'thing/product/+/', 'thing//+/osd', 'Thing/product/+/osd'],
  ...[
    'sys/product/+/services',
    'thing/product/+/property/get',
    'thing/product/+/drc/down',
    'thing/product/+/events/more',
    '/thing/product/+/osd',
  ],
];

export function aTriple(fleet: Fleet, random: () => number): Triple {
  const among = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const sn = among(Object.keys(fleet));
  const action = among(['publish', 'subscribe'] as const);
  const own = [sn, ...(fleet[sn] ?? [])];
  const others = [...Object.keys(fleet), ...Object.values(fleet).flat(), 'NOBODY', sn.slice(0, -1), sn.toLowerCase()];
  // Half of the time its own, or nearly nothing would be allowed.
  const plain = among(FORMS).replace('+', among(random() < 0.5 ? own : others));
  if (action === 'publish') return { sn, topic: plain, action };
  const wild = [
    `$share/any/${plain}`,
    plain.replace(/[^/]+$/, '#'),
    plain.replace(/product\/[^/]+/, 'product/+'),
    '#',
    '+/#',
  ];
  return { sn, topic: random() < 0.8 ? plain : among(wild), action };
}
