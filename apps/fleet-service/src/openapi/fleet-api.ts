import { assembleOpenApi, auditRecordSchema, auditRoute, route } from '@aerie/http-api';
import { z } from 'zod';
import {
  dockConnectionSchema,
  dockSchema,
  dockStateSchema,
  newDock,
  registeredDockSchema,
} from '../docks/dock.schema.js';
import { keySchema, madeKeySchema, newKey } from '../api-keys/api-key.schema.js';
import { KEY_ROUTES } from '../api-keys/api-keys.openapi.js';
import { PEOPLE_ROUTES } from '../people/people.openapi.js';
import {
  acceptance,
  invitationSchema,
  joinedSchema,
  madeInvitationSchema,
  memberSchema,
  newInvitation,
  setup,
} from '../people/people.schema.js';
import { madeSessionSchema, meSchema, passwordChange, sessionSchema, signInInput } from '../sessions/session.schema.js';
import { newProvider, providerChange, providerSchema } from '../providers/provider.schema.js';
import { PROVIDER_ROUTES } from '../providers/providers.openapi.js';
import { newPasskey, optionsWish, passkeySchema, passkeySignIn } from '../passkeys/passkey.schema.js';
import { PASSKEY_ROUTES } from '../passkeys/passkeys.openapi.js';
import { SESSION_ROUTES } from '../sessions/sessions.openapi.js';
import { acknowledgement, alarmChange, alarmSchema } from '../alarms/alarm.schema.js';
import { ALARM_ROUTES } from '../alarms/alarms.openapi.js';
import { newSite, siteChange, siteSchema } from '../sites/site.schema.js';
import { SITE_ROUTES } from '../sites/sites.openapi.js';
import { DOCK_ROUTES } from '../docks/docks.openapi.js';

const OPENAPI_ROUTES = [
  route({
    method: 'get',
    path: '/api/v1/docks/openapi.json',
    operationId: 'getFleetOpenApi',
    tag: 'about',
    summary: 'This document',
    public: true,
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        content: { 'application/json': z.record(z.string(), z.unknown()).describe('OpenAPI 3.1.') },
      },
    },
  }),
];

const AUDIT_ROUTE = auditRoute({
  path: '/api/v1/audit',
  operationId: 'listAuditRecords',
  about: 'docks, keys and people',
  also: 'sign-ins; and requests that were refused with 401, where the key is known, or 403',
});

/** Every route of this service. A test holds it against the controllers. */
export const ROUTES = [
  ...DOCK_ROUTES,
  ...ALARM_ROUTES,
  ...SITE_ROUTES,
  ...KEY_ROUTES,
  ...PEOPLE_ROUTES,
  ...SESSION_ROUTES,
  ...PROVIDER_ROUTES,
  ...PASSKEY_ROUTES,
  AUDIT_ROUTE,
  ...OPENAPI_ROUTES,
];

/** The API of this service as OpenAPI 3.1; docs/api/fleet.openapi.json is a copy. */
export const FLEET_API = assembleOpenApi({
  title: 'Aerie: docks',
  version: '1',
  description:
    'Register docks and see what they say. Instants are RFC 3339. Errors are problem+json (RFC 9457) with a stable ' +
    '`code`. Fields may be added at any time; a client must ignore those that it does not know.',
  tags: [
    { name: 'docks', description: 'Stations and their aircraft.' },
    { name: 'alarms', description: 'What is or was wrong with docks and their aircraft.' },
    { name: 'sites', description: 'Places with docks, to which rights can be limited.' },
    { name: 'keys', description: 'API keys: who may do what, from where, until when.' },
    { name: 'people', description: 'People: who is a member of the organisation, and what they may do.' },
    { name: 'sessions', description: 'Sessions of people who signed in.' },
    { name: 'providers', description: 'Identity providers for the sign-in of members.' },
    { name: 'passkeys', description: 'Passkeys of people, and sign-in with them.' },
    { name: 'audit', description: 'Who asked for what, and what was refused.' },
    { name: 'about', description: 'The API itself.' },
  ],
  routes: ROUTES,
  requestSchemas: {
    NewDock: newDock,
    Acknowledgement: acknowledgement,
    AlarmChange: alarmChange,
    NewSite: newSite,
    SiteChange: siteChange,
    NewApiKey: newKey,
    Setup: setup,
    NewInvitation: newInvitation,
    Acceptance: acceptance,
    SignIn: signInInput,
    PasswordChange: passwordChange,
    NewIdentityProvider: newProvider,
    IdentityProviderChange: providerChange,
    PasskeyWish: optionsWish,
    NewPasskey: newPasskey,
    PasskeySignIn: passkeySignIn,
  },
  responseSchemas: {
    Dock: dockSchema,
    Site: siteSchema,
    RegisteredDock: registeredDockSchema,
    DockConnection: dockConnectionSchema,
    DockState: dockStateSchema,
    Alarm: alarmSchema,
    ApiKey: keySchema,
    MadeApiKey: madeKeySchema,
    AuditRecord: auditRecordSchema,
    Session: sessionSchema,
    MadeSession: madeSessionSchema,
    Me: meSchema,
    IdentityProvider: providerSchema,
    Passkey: passkeySchema,
    Member: memberSchema,
    Joined: joinedSchema,
    Invitation: invitationSchema,
    MadeInvitation: madeInvitationSchema,
  },
});
