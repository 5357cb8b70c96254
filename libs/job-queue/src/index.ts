export { BullWakes, type BullWakesOptions, type Wake, WakeQueue } from './wake-queue.js';
