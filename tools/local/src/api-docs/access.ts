import { PERMISSIONS, type Permission, ROLES, ROLE_SAYS, atSites, isPermitted } from '@aerie/bus-contract';
import { withGeneratedPart } from './generated-part.js';
import { table } from './table.js';

/** What is read of an OpenAPI document here. */
export interface DescribedApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}

interface DescribedOperation {
  readonly summary: string;
  readonly security: readonly { readonly apiKey?: readonly string[] }[];
}

/** A page about access with its generated part as roles, permissions and routes are now. */
export function withAccess(text: string, apis: readonly DescribedApi[]): string {
  const parts = [rolesTable(), permissionsTable(), routesTable(apis)].join('\n\n');
  return withGeneratedPart(text, 'access', 'docs/access.md', parts);
}

const rolesTable = (): string =>
  table(
    ['role', 'its holder'],
    ROLES.map((role) => [`\`${role}\``, ROLE_SAYS[role]]),
  );

const permissionsTable = (): string =>
  table(
    ['permission', ...ROLES.map((role) => `\`${role}\``), 'at sites'],
    (Object.keys(PERMISSIONS) as Permission[]).map((permission) => [
      `\`${permission}\``,
      ...ROLES.map((role) => (isPermitted([role], permission) ? 'yes' : '')),
      isPermitted(ROLES.map(atSites), permission) ? 'yes' : '',
    ]),
  );

function routesTable(apis: readonly DescribedApi[]): string {
  const rows = apis.flatMap(({ paths }) =>
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { summary, security }]) => {
        const [permission] = security.flatMap(({ apiKey = [] }) => apiKey);
        const shown = permission === undefined ? 'open to all' : `\`${permission}\``;
        return [`\`${method.toUpperCase()} ${path.replace('/api/v1', '')}\``, summary, shown];
      }),
    ),
  );
  return table(['route', 'what', 'permission'], rows);
}
