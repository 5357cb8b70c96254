declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Serial number of a dock: the device that speaks for itself and its aircraft. */
export type DockSn = Branded<'DockSn'>;
/** Serial number of any device that may publish: a dock or an aircraft. */
export type DeviceSn = Branded<'DeviceSn'> | DockSn;
/** Id of a mission; on the wire it is the `flight_id` and the `bid`. A UUID. */
export type MissionId = Branded<'MissionId'>;
export type WaylineId = Branded<'WaylineId'>;
export type OrganisationId = Branded<'OrganisationId'>;
/** Transaction id: one request and its reply, or one notification. */
export type Tid = Branded<'Tid'>;
/** Business id: the whole conversation that a message belongs to. */
export type Bid = Branded<'Bid'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const SERIAL_NUMBER = /^[A-Za-z0-9_-]{1,64}$/;

export const isUuid = (text: string): boolean => UUID.test(text);

/** Serial numbers come in many spellings; what is accepted is also one token of a NATS subject and of an MQTT topic. */
export const isSerialNumber = (text: string): boolean => SERIAL_NUMBER.test(text);
