import { readFileSync } from 'node:fs';

/** The kernel counts CPU time in ticks of 10 ms on every system that Node.js runs on. */
const MS_PER_TICK = 10;

/** CPU time that a thread of this process has used, milliseconds; null where the system does not say. */
export function threadCpuMs(thread: number): number | null {
  if (thread === 0) return null;
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    // The name of the thread may hold anything, also spaces and brackets; the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return null;
  }
}
