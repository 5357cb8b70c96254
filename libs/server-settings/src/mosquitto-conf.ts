/**
 * What the broker keeps for one client that is slow or gone. Beyond it, it acknowledges to the dock and throws away, which
 * the ingress makes an alarm. 64 MiB on each of the eight connections of an ingress are 300 bytes a second of 500 docks for
 * the hour that a session lasts, and half a gigabyte of memory at most.
 */
const QUEUE_LIMITS = [
  'max_queued_messages 100000',
  'max_queued_bytes 67108864',
  // Sent and not acknowledged; an ingress allows 100 a connection. In bytes too, since one message may have 1 MiB.
  'max_inflight_messages 500',
  'max_inflight_bytes 33554432',
];

/** Lines of `mosquitto.conf` that hold wherever the broker runs; where it keeps its store and listens is said beside them. */
export const BROKER_SETTINGS: readonly string[] = [
  // Off by default; without it a QoS 1 message waits 20 ms and more for nothing.
  'set_tcp_nodelay true',
  'persistence true',
  // Each second, not at each change: writing the whole store for every message costs nine tenths of the throughput
  // (see `npm run bench:uplink`). A broker that is killed forgets its last second; docks repeat what was not answered.
  'autosave_interval 1',
  ...QUEUE_LIMITS,
  // Above what the ingress takes (256 KiB): a larger message then arrives there and is kept as a dead letter with its
  // reason. The broker acknowledges what is above its own limit, and throws it away.
  'message_size_limit 1048576',
];
