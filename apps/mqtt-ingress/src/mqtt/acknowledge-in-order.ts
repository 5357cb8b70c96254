import type { Writable } from 'node:stream';

/** [MQTT5-3.4] A PUBACK without reason code and properties says success. */
const PUBACK = 0x40;
const REMAINING_LENGTH = 2;

interface Received {
  /** Undefined: QoS 0, nobody waits for a PUBACK. */
  readonly packetId: number | undefined;
  isDone: boolean;
}

/**
 * The PUBACKs of one connection. Messages are done in any order; their PUBACKs leave in the order in which the messages
 * came, as MQTT wants it [MQTT-4.6.0-2], those of one turn of the event loop together.
 */
export class AcknowledgeInOrder {
  private readonly received: Received[] = [];
  private isPlanned = false;

  constructor(
    private readonly stream: Writable,
    /** A message that was in work has left. */
    private readonly onRoom: () => void,
  ) {}

  /** Messages that came and whose turn has not come. */
  get inWork(): number {
    return this.received.length;
  }

  /** Takes in a message; returns what to call, once, when it is done. */
  add(packetId: number | undefined): () => void {
    const received: Received = { packetId, isDone: false };
    this.received.push(received);
    return () => {
      received.isDone = true;
      if (this.isPlanned || this.received[0]?.isDone !== true) return;
      this.isPlanned = true;
      process.nextTick(() => this.send());
    };
  }

  private send(): void {
    this.isPlanned = false;
    const firstUndone = this.received.findIndex(({ isDone }) => !isDone);
    const done = this.received.splice(0, firstUndone < 0 ? this.received.length : firstUndone);
    const packets = done.flatMap(({ packetId }) =>
      packetId === undefined ? [] : [PUBACK, REMAINING_LENGTH, packetId >> 8, packetId & 0xff],
    );
    // A connection that was cut sends nothing: the broker gives its messages out again.
    if (packets.length > 0 && this.stream.writable) this.stream.write(Buffer.from(packets));
    this.onRoom();
  }
}
