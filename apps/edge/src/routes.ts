import type { Config } from './config.js';

/** Which service answers below which path. On Kubernetes the Ingress holds the same table. */
export function routesOf(config: Config): Readonly<Record<string, string>> {
  return {
    '/api/v1/alarms': config.EDGE_FLEET_URL,
    '/api/v1/api-keys': config.EDGE_FLEET_URL,
    '/api/v1/audit': config.EDGE_FLEET_URL,
    '/api/v1/docks': config.EDGE_FLEET_URL,
    '/api/v1/docks/*/log-listings': config.EDGE_LOG_URL,
    '/api/v1/error-codes': config.EDGE_MISSION_URL,
    '/api/v1/identity-providers': config.EDGE_FLEET_URL,
    '/api/v1/invitations': config.EDGE_FLEET_URL,
    '/api/v1/log-audit': config.EDGE_LOG_URL,
    '/api/v1/log-campaigns': config.EDGE_LOG_URL,
    '/api/v1/log-files': config.EDGE_LOG_URL,
    '/api/v1/log-policy': config.EDGE_LOG_URL,
    '/api/v1/log-uploads': config.EDGE_LOG_URL,
    '/api/v1/me': config.EDGE_FLEET_URL,
    '/api/v1/members': config.EDGE_FLEET_URL,
    '/api/v1/mission-audit': config.EDGE_MISSION_URL,
    '/api/v1/mission-policy': config.EDGE_MISSION_URL,
    '/api/v1/missions': config.EDGE_MISSION_URL,
    '/api/v1/openapi.json': config.EDGE_MISSION_URL,
    '/api/v1/sessions': config.EDGE_FLEET_URL,
    '/api/v1/setup': config.EDGE_FLEET_URL,
    '/api/v1/sign-in': config.EDGE_FLEET_URL,
    '/api/v1/sites': config.EDGE_FLEET_URL,
    '/api/v1/storage': config.EDGE_CREDENTIAL_URL,
    '/api/v1/storage-audit': config.EDGE_CREDENTIAL_URL,
    '/api/v1/waylines': config.EDGE_MISSION_URL,
  };
}

/** The service for a request, or undefined. A path that a proxy and a service could read differently has none. */
export function targetOf(routes: Readonly<Record<string, string>>, url: string): string | undefined {
  const path = url.split('?')[0] ?? '';
  if (/\/\/|\/\.|%2e|%2f|%5c|\\|#/i.test(path)) return undefined;
  const parts = path.split('/');
  const prefix = parts.slice(0, 4).join('/');
  // What belongs to a thing of one service and is answered by another.
  const nested = `${prefix}/*/${parts[5] ?? ''}`;
  if (Object.hasOwn(routes, nested)) return routes[nested];
  return Object.hasOwn(routes, prefix) ? routes[prefix] : undefined;
}
