/**
 * Why a wayline stopped, by `break_point.break_reason`. The list is open; the result code of the flight is 321000 plus
 * the reason. [Cloud API, flighttask_progress, break_reason]
 */
export const BREAK_REASONS: ReadonlyMap<number, string> = new Map([
  [1, 'mission id unknown, or mission not executed'],
  [2, 'rare internal error'],
  [4, 'the KMZ could not be loaded'],
  [5, 'the breakpoint cannot be found'],
  [6, 'bad parameter in a command'],
  [7, 'reading the KMZ took too long'],
  [257, 'the wayline already runs'],
  [258, 'the wayline cannot be interrupted now'],
  [259, 'the wayline has not started'],
  [261, 'control conflict: landing or returning'],
  [262, 'cannot resume in this state'],
  [513, 'above the maximal altitude'],
  [514, 'beyond the maximal distance'],
  [515, 'the wayline crosses a restricted zone'],
  [516, 'stopped at the low altitude limit'],
  [517, 'stopped by an obstacle'],
  [518, 'RTK signal too weak'],
  [519, 'near the edge of a restricted zone'],
  [521, 'above the altitude of the zone around the dock'],
  [522, 'take-off request failed'],
  [523, 'take-off failed'],
  [524, 'wayline request failed'],
  [526, 'request for RTK convergence failed'],
  [527, 'RTK convergence failed'],
  [528, 'near the edge of a custom flight area'],
  [529, 'unreachable: obstacle or no-fly area'],
  [769, 'GPS signal too weak'],
  [770, 'the remote control is not in N gear'],
  [771, 'home point not set'],
  [772, 'battery too low to start'],
  [773, 'returned on low battery'],
  [775, 'remote control link lost'],
  [778, 'propellers turn on the ground'],
  [779, 'terrain follow: vision failed'],
  [780, 'terrain follow: height outside 30 to 200 m'],
  [781, 'terrain follow: map error'],
  [784, 'returned because of strong wind'],
  [1281, 'stopped by the user'],
  [1282, 'interrupted by the user'],
  [1283, 'returned by the user'],
  [1539, 'start information of the wayline invalid'],
  [1540, 'coordinate system unsupported'],
  [1541, 'height mode unsupported'],
  [1542, 'transition to the wayline invalid'],
  [1543, 'yaw mode invalid'],
  [1544, 'yaw mode invalid'],
  [1545, 'waypoint type invalid'],
  [1546, 'coordinated turn at an end of the wayline'],
  [1547, 'global speed invalid'],
  [1548, 'number of waypoints invalid'],
  [1549, 'coordinates invalid'],
  [1550, 'turn distance invalid'],
  [1551, 'segment speed invalid'],
  [1552, 'segment speed invalid'],
  [1553, 'yaw angle invalid'],
  [1563, 'the wayline could not be generated'],
  [1564, 'the wayline could not be run'],
  [1565, 'emergency brake'],
  [1588, 'unknown action'],
  [1595, 'duplicate action id'],
  [1598, 'action id 65535 is reserved'],
  [1602, 'too many action groups'],
  [1603, 'action group out of range'],
  [1634, 'unknown action'],
  [1649, 'unknown action trigger'],
]);

const RESUME_DATA = 'data to resume from are invalid';

/** Short text for a break reason, or null where none is published. 0 means "none". */
export function breakReasonMeaning(reason: number): string | null {
  const text = BREAK_REASONS.get(reason);
  if (text !== undefined) return text;
  if (reason >= 1555 && reason <= 1561) return RESUME_DATA;
  if (reason >= 1606 && reason <= 1614) return 'actions to resume are invalid';
  if (reason >= 1539 && reason <= 1565) return 'content of the wayline is invalid';
  if (reason >= 1588 && reason <= 1649) return 'actions of the wayline are invalid';
  return null;
}
