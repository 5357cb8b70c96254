import { PERMISSIONS, type Permission, ROLES, ROLE_SAYS, isPermitted } from '@aerie/bus-contract';
import { Problem } from '../infrastructure/problem.js';

const BEGIN = '<!-- access:begin -->';
const END = '<!-- access:end -->';

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
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin)
    throw new Problem(`docs/access.md must have the lines ${BEGIN} and ${END}, in this order.`);
  const parts = [rolesTable(), permissionsTable(), routesTable(apis)].join('\n\n');
  return `${text.slice(0, begin + BEGIN.length)}\n\n${parts}\n\n${text.slice(end)}`;
}

const rolesTable = (): string =>
  table(
    ['role', 'its holder'],
    ROLES.map((role) => [`\`${role}\``, ROLE_SAYS[role]]),
  );

const permissionsTable = (): string =>
  table(
    ['permission', ...ROLES.map((role) => `\`${role}\``)],
    (Object.keys(PERMISSIONS) as Permission[]).map((permission) => [
      `\`${permission}\``,
      ...ROLES.map((role) => (isPermitted([role], permission) ? 'yes' : '')),
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

/** As prettier lays it out. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
