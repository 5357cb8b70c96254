import { type Json, objectOf } from './wire.js';

const DONE = 0;
const FAILED = 1;

/** What the cloud may set, with the values from the factory. */
const factory: Json = {
  silent_mode: 0,
  user_experience_improvement: 1,
  air_transfer_enable: 0,
};

/** Aircraft properties that are set through the dock. One member of a struct per message. */
const aircraftProperties: readonly string[] = [
  'night_lights_state',
  'height_limit',
  'rth_altitude',
  'distance_limit_status',
  'obstacle_avoidance',
  'remaining_power_for_return_home',
];

/** The writable properties of a dock, and its answers to attempts to write. */
export class Properties {
  private values: Record<string, unknown> = { ...factory };

  get all(): Json {
    return this.values;
  }

  /** The `data` of the reply. A struct is answered member by member. */
  set(data: Json): Json {
    return Object.fromEntries(
      Object.entries(data).map(([name, value]) => {
        const known = Object.hasOwn(factory, name) || aircraftProperties.includes(name);
        if (known && Object.hasOwn(factory, name)) this.values[name] = value;
        const answer = { result: known ? DONE : FAILED };
        const members = Object.keys(objectOf(value));
        return [name, members.length > 0 ? Object.fromEntries(members.map((member) => [member, answer])) : answer];
      }),
    );
  }
}
