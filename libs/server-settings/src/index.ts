export { type KeyPair, type Subject, issue, makeAuthority, whyRenew } from './authority.js';
export {
  type Acl,
  type BrokerUser,
  type DynamicSecurity,
  FLEET_ACLS,
  INGRESS_ACLS,
  OBSERVER_ACLS,
  hasUsers,
  withUsers,
} from './broker-access.js';
export { BROKER_SETTINGS } from './mosquitto-conf.js';
export { type NatsUser, limitedNatsUser, natsAuthorization } from './nats-users.js';
export { redisUser } from './redis-users.js';
export { SERVER_SUITES } from './tls-suites.js';
