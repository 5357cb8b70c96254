import { mqttPart } from './mqtt.js';
import { natsPart, streamsExtension } from './nats.js';
import type { Json } from './types.js';

/** The two buses as AsyncAPI 3.0, seen from Aerie: it sends what it publishes, and receives what it subscribes. */
export function asyncApi(): Json {
  const [mqtt, nats] = [mqttPart(), natsPart()];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Aerie: docks and bus',
      version: '1',
      description:
        "What docks and Aerie say to each other over MQTT (DJI Cloud API), and what Aerie's services say to each other " +
        'over NATS. The life of a message is in docs/architecture.md.',
      license: { name: 'Apache-2.0' },
      tags: ['mission', 'fleet'].map((name) => ({ name, description: `For ${name}-service.` })),
    },
    defaultContentType: 'application/json',
    servers: {
      mqtt: {
        host: '{host}',
        protocol: 'mqtt',
        description: 'The broker. Each dock has a user of its own, which may use its own topics only.',
        variables: { host: { description: 'Host and port of the broker.' } },
        security: [{ $ref: '#/components/securitySchemes/password' }],
      },
      nats: {
        host: '{host}',
        protocol: 'nats',
        description: 'The private bus between the services.',
        variables: { host: { description: 'Host and port of NATS.' } },
        security: [{ $ref: '#/components/securitySchemes/password' }],
      },
    },
    channels: { ...mqtt.channels, ...nats.channels },
    operations: { ...mqtt.operations, ...nats.operations },
    components: {
      messages: { ...mqtt.messages, ...nats.messages },
      securitySchemes: { password: { type: 'userPassword', description: 'A user of its own for each client.' } },
    },
    ...streamsExtension(),
  };
}
