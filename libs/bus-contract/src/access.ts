/**
 * Who may do what: one table for HTTP, gRPC and the questions between services. What is not in it is refused. A role holds
 * in the organisation of its holder and nowhere else; a holder of several roles may do what any of them may.
 */

export const ROLES = ['viewer', 'planner', 'pilot', 'fleet_admin', 'org_admin', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** What each role is for, as people read it. */
export const ROLE_SAYS: Readonly<Record<Role, string>> = {
  viewer: 'looks at docks, routes, missions and logs',
  planner: 'uploads routes, plans missions for a later time, moves and cancels them',
  pilot: 'all that a planner does; starts flights at once, steers and ends them',
  fleet_admin: 'registers docks, their credentials, storage, policies and logs; may end any flight',
  org_admin: 'invites people, says what they may do, makes and revokes API keys',
  auditor: 'sees who may do what and who did what, and nothing else',
};

const READERS: readonly Role[] = ['viewer', 'planner', 'pilot', 'fleet_admin', 'org_admin'];
const PLANNERS: readonly Role[] = ['planner', 'pilot'];
const ADMINS: readonly Role[] = ['fleet_admin'];

/** Each permission, `resource.action`, with the roles that have it. */
export const PERMISSIONS = {
  'docks.read': READERS,
  /** Register docks, and correct their serial numbers. */
  'docks.register': ADMINS,
  /** Rename, retire, place, and let in again what was cut off. */
  'docks.manage': ADMINS,
  /** A new password for a dock. */
  'docks.credentials': ADMINS,
  /** Acknowledge alarms, say who looks after them. */
  'alarms.handle': ['planner', 'pilot', 'fleet_admin'],
  'sites.read': READERS,
  /** Make and change sites, and say which docks are there. */
  'sites.manage': ADMINS,
  'waylines.read': READERS,
  'waylines.upload': PLANNERS,
  /** Rename and archive. */
  'waylines.manage': PLANNERS,
  'missions.read': READERS,
  /** For a later time, or for when the dock is ready; preview; another time. */
  'missions.plan': PLANNERS,
  /** The aircraft takes off now: an immediate mission, or one that goes on from a breakpoint now. */
  'missions.start': ['pilot'],
  /** Missions that another person has planned, where the policy asks for it. A key may refuse, and approves nothing. */
  'missions.approve': ['pilot', 'fleet_admin'],
  /** In the air, what keeps it there: go on with the route, hover instead of coming back, land somewhere else. */
  'missions.steer': ['pilot'],
  /** In the air, what ends or halts the flight. */
  'missions.stop': ['pilot', 'fleet_admin'],
  /** Before the dock was told to start. */
  'missions.cancel': ['planner', 'pilot', 'fleet_admin'],
  /** A person has looked at a dock whose flight ended in a way that nobody knows. */
  'missions.resolve': ['pilot', 'fleet_admin'],
  'mission_policy.read': READERS,
  'mission_policy.manage': ADMINS,
  'logs.read': READERS,
  /** Ask a dock for logs. */
  'logs.collect': ADMINS,
  'log_campaigns.read': READERS,
  /** Ask many docks at once. */
  'log_campaigns.manage': ADMINS,
  'log_policy.read': READERS,
  'log_policy.manage': ADMINS,
  'storage.read': ['fleet_admin', 'org_admin'],
  'storage.manage': ADMINS,
  /** Addresses that read or write any object of the organisation. */
  'storage.objects': ADMINS,
  'keys.read': ['org_admin', 'auditor'],
  'keys.manage': ['org_admin'],
  /** Who is a member, and who was invited. */
  'people.read': ['org_admin', 'auditor'],
  /** Invite people, say what they may do, remove them. */
  'people.manage': ['org_admin'],
  /** Who asked for what, and what was refused. */
  'audit.read': ['org_admin', 'auditor'],
  /** Who one is, and one's own sessions. */
  'account.read': ROLES,
  /** End one's own sessions, change one's own password. */
  'account.manage': ROLES,
  'error_codes.read': ROLES,
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type Permission = keyof typeof PERMISSIONS;

export const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

/**
 * What a holder that is limited to sites may do where its roles permit it: it is about one dock, about the holder, or harms no
 * other site. All else concerns the whole organisation.
 */
const AT_SITES: ReadonlySet<Permission> = new Set<Permission>([
  ...(['docks.read', 'docks.manage', 'sites.read', 'alarms.handle'] as const),
  ...(['waylines.read', 'waylines.upload', 'error_codes.read'] as const),
  ...(['missions.read', 'missions.plan', 'missions.start', 'missions.approve', 'missions.steer'] as const),
  ...(['missions.stop', 'missions.cancel', 'missions.resolve'] as const),
  ...(['logs.read', 'logs.collect', 'account.read', 'account.manage'] as const),
]);

const SITES_SUFFIX = '@sites';
/**
 * A role as a holder has it that is limited to sites, e.g. `pilot@sites`. A release that knows no sites knows no such role, so it
 * permits nothing.
 */
export const atSites = (role: string): string => `${role}${SITES_SUFFIX}`;
export const isAtSites = (role: string): boolean => role.endsWith(SITES_SUFFIX);
/** The role as people know it. */
export const plainRole = (role: string): string => (isAtSites(role) ? role.slice(0, -SITES_SUFFIX.length) : role);

/** Whether one of these roles has the permission. A role that this release does not know has none. */
export function isPermitted(roles: readonly string[], permission: Permission): boolean {
  const granted: readonly string[] = PERMISSIONS[permission];
  return roles.some((role) => granted.includes(plainRole(role)) && (!isAtSites(role) || AT_SITES.has(permission)));
}
