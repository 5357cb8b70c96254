export { BullWakes, type BullWakesOptions, type Wake, WakeQueue } from './wake-queue.js';
export { InstantWakes } from './instant-wakes.js';
export { redisClient, redisError } from './redis-client.js';
export { examineRedis, redisFindings } from './examine-redis.js';
