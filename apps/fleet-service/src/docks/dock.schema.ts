import { dockModel, dockPosition } from '@aerie/bus-contract';
import { pageQuery, pageSchema } from '@aerie/http-api';
import { isSerialNumber } from '@aerie/kernel';
import { z } from 'zod';
import { ALARM_LEVELS } from '../alarms/alarm.schema.js';
import { type Device, unitsOf } from './dock/shown-properties.js';
import { GENERATIONS, NEWEST_GENERATION } from './dock/generations.js';

/** What callers send and get of docks. Strict, and a test holds real answers against it. */

const instantOrNull = (says: string) => z.iso.datetime().nullable().describe(`${says} RFC 3339, UTC.`);

const siteId = z.uuid().nullable().describe('Id of the site where it is. Null: at none.');

export const newDock = z.strictObject({
  sn: z
    .string()
    .refine(isSerialNumber, 'must have 1 to 64 letters, digits, "-" or "_"')
    .describe('Serial number of the dock.'),
  model: dockModel.describe('Which of the stations it is.'),
  name: z.string().trim().min(1).max(100).optional().describe('For people. Default: the serial number.'),
  siteId: siteId.default(null),
  protocolGeneration: z
    .enum(GENERATIONS)
    .default(NEWEST_GENERATION)
    .describe('Version of the protocol that its firmware speaks.'),
});

const degrees = (limit: number, says: string) => z.number().min(-limit).max(limit).describe(says);

export const newPosition = z
  .strictObject({
    latitude: degrees(90, 'Degrees, north is positive.'),
    longitude: degrees(180, 'Degrees, east is positive.'),
  })
  .refine(({ latitude, longitude }) => latitude !== 0 || longitude !== 0, {
    path: ['latitude'],
    message: 'must not be 0 where the longitude is 0: docks say 0, 0 for unknown',
  });

/** What a person may correct. */
export const dockChange = z
  .strictObject({
    model: dockModel.optional().describe('Which of the stations it is.'),
    name: newDock.shape.name.describe('For people.'),
    siteId: siteId.optional().describe(`${siteId.description ?? ''} Needs the permission \`sites.manage\`.`),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    path: ['name'],
    message: 'must be sent, or model, or siteId: there is nothing to change',
  });

export const newSerialNumber = z.strictObject({ sn: newDock.shape.sn.describe('The right serial number.') });

export const dockListQuery = z.strictObject({
  ...pageQuery.shape,
  retired: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('`true` lists the docks that were retired instead of those in service.'),
  siteId: z.uuid().optional().describe('Only docks at this site.'),
});

const dockMembers = {
  sn: z.string().describe('Serial number of the dock.'),
  name: z.string().describe('For people.'),
  siteId,
  model: dockModel.describe('Which of the stations it is.'),
  reportedModel: dockModel
    .nullable()
    .describe('The station that the dock itself reports in its topology or its binding. Null: none that is known.'),
  modelMismatch: z
    .boolean()
    .describe('Whether the dock reports another model than it is registered as: then its missions are held back.'),
  protocolGeneration: z.string().describe('Version of the protocol that its firmware speaks.'),
  online: z.boolean().describe('Whether it was heard lately.'),
  lastSeenAt: instantOrNull('When it was heard last. Null: not lately.'),
  aircraft: z
    .strictObject({
      sn: z.string().describe('Serial number of the aircraft.'),
      online: z.boolean().describe('Whether the dock is online and says that it is connected.'),
      modelKey: z
        .string()
        .nullable()
        .describe('Its model as the dock named it: domain, type and subtype, e.g. 0-91-1. Null: not named yet.'),
    })
    .nullable()
    .describe('The aircraft that its last topology named. Null: none yet.'),
  position: z
    .strictObject(dockPosition.shape)
    .nullable()
    .describe('Last known position. Null: unknown, see `PUT /docks/{sn}/position`.'),
  cutOff: z
    .strictObject({
      since: z.iso.datetime().describe('RFC 3339, UTC.'),
      until: instantOrNull('When it comes back by itself. Null: when a person ends it.'),
      reason: z.string().describe('What it sent, for people.'),
    })
    .nullable()
    .describe(
      'It is kept out at the broker, because it sent far more than its share for a while; never while it has a flight. ' +
        'Its missions wait. Null: it is not cut off.',
    ),
  alarms: z
    .strictObject({
      open: z
        .int()
        .describe('How many alarms of the dock and its aircraft are open (`GET /alarms?open=true&dockSn=…`).'),
      worst: z.enum(ALARM_LEVELS).nullable().describe('The worst level among them. Null: none is open.'),
    })
    .describe('What is wrong with the dock and its aircraft now, as it said last.'),
  boundAt: instantOrNull('When the dock was bound to the organisation. Null: not yet.'),
  retiredAt: instantOrNull('When it was taken out of service. Null: it is in service.'),
  createdAt: z.iso.datetime().describe('When it was registered. RFC 3339, UTC.'),
};

const connectionMembers = {
  mqttUrl: z.string().describe('Address of the broker as docks reach it.'),
  mqttUser: z.string().describe('User of the dock at the broker.'),
  mqttPassword: z.string().describe('Its password. Shown this one time.'),
  organisationId: z.uuid().describe('Whose dock it is; entered at the dock for the binding.'),
  bindingCode: z.string().describe('Entered at the dock for the binding. Shown this one time.'),
};

export const dockSchema = z.strictObject(dockMembers).describe('A registered dock.');
export const dockPageSchema = pageSchema(dockSchema, 'Docks in the order of their registration, newest first.');
export const dockConnectionSchema = z
  .strictObject(connectionMembers)
  .describe('What a dock needs to connect and to be bound. Secret.');
export const registeredDockSchema = z
  .strictObject({ ...dockMembers, ...connectionMembers })
  .describe('The dock with what it needs to connect. Secret.');

export const dockCutOffsSchema = z
  .strictObject({
    items: z
      .array(
        z.strictObject({
          since: z.iso.datetime().describe('RFC 3339, UTC.'),
          until: instantOrNull('When it was, or is, to end by itself. Null: a person kept the dock out.'),
          reason: z.string().describe('What the dock sent, for people.'),
          endedAt: instantOrNull('Null: it lasts.'),
          endedBy: z
            .enum(['time', 'person', 'calm', 'retired'])
            .nullable()
            .describe(
              '`time`: its time was over. `person`: by a person. `retired`: the dock was retired. `calm`: the flood was over ' +
                'before. Null: it lasts.',
            ),
        }),
      )
      .describe('The latest hundred, newest first.'),
  })
  .describe('When and why a dock was cut off.');

export const dockAircraftSchema = z
  .strictObject({
    items: z
      .array(
        z.strictObject({
          sn: z.string().describe('Serial number of the aircraft.'),
          online: z.boolean().describe('Whether the dock is online and says that it is connected.'),
          modelKey: z.string().nullable().describe('Its model: domain, type and subtype. Null: not named yet.'),
          since: z.iso.datetime().describe('When the dock last said whether it is there. RFC 3339, UTC.'),
        }),
      )
      .describe('The aircraft that the dock may speak for, at most eight.'),
    moves: z
      .array(
        z.strictObject({
          aircraftSn: z.string().describe('Serial number of the aircraft.'),
          fromDockSn: z.string().nullable().describe('The dock that it left. Null: none.'),
          toDockSn: z.string().nullable().describe('The dock that it came to. Null: none.'),
          reason: z
            .enum(['named', 'released', 'registeredAsDock', 'dockRetired'])
            .describe(
              '`named`: the other dock named it in its topology. `released`: by a person. `registeredAsDock`: its serial ' +
                'number was registered as a dock. `dockRetired`: its dock was retired.',
            ),
          at: z.iso.datetime().describe('RFC 3339, UTC.'),
        }),
      )
      .describe('The latest hundred that came and went, newest first.'),
  })
  .describe('The aircraft of a dock.');

const propertiesOf = (device: Device) =>
  z
    .record(z.string(), z.unknown())
    .describe(
      'The freshest value of every property, by its name on the wire, each with its age. Null where the device says ' +
        `unknown (65535 in enumerations, 32767 in the fields of batteries). Units: ${unitsOf(device)}.`,
    );

export const dockStateSchema = z
  .strictObject({
    sn: z.string().describe('Serial number of the dock.'),
    online: z.boolean().describe('Whether it was heard lately.'),
    lastSeenAt: instantOrNull('When it was heard last. Null: not lately.'),
    properties: propertiesOf('dock'),
    aircraft: z
      .strictObject({ sn: z.string().describe('Serial number of the aircraft.'), properties: propertiesOf('aircraft') })
      .nullable()
      .describe('The same of its aircraft. Null: none yet.'),
    notes: z
      .array(
        z.strictObject({
          code: z.string().describe('What is noted, e.g. flat_properties.'),
          text: z.string().describe('What it means and what to do, for people.'),
          detail: z.string().nullable().describe('What exactly, e.g. the id of a flight. Null: the code says it all.'),
          count: z.int().describe('How many messages it was, since the note first came.'),
          lastAt: z.iso.datetime().describe('When the last of them came. RFC 3339, UTC.'),
        }),
      )
      .describe('How the dock speaks, where an operator has to know it; newest first, kept for a day after the last.'),
  })
  .describe('What a dock and its aircraft said last.');
