import mqtt from 'mqtt';
import type { FloodFigures, FloodOrder } from './flood.js';

// A process of its own, so that the flood takes no time from the one that measures. It ends with its parent.

const TICK_MS = 5;
/** Beyond this the broker takes less than is sent: the rest is not sent, and the figures say so. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
const MOST_UNANSWERED = 500;
const TID_DIGITS = 12;

const figures: { -readonly [Key in keyof FloodFigures]: FloodFigures[Key] } = { sent: 0, cutOff: 0, connected: false };

function flood({ connection, method, perSecond, bytes }: FloodOrder): void {
  const { mqttUrl, mqttUser, mqttPassword } = connection;
  const client = mqtt.connect(mqttUrl, {
    username: mqttUser,
    password: mqttPassword,
    protocolVersion: 5,
    reconnectPeriod: 1_000,
    queueQoSZero: false,
  });
  client.on('error', () => undefined);
  client.on('connect', () => (figures.connected = true));
  client.on('close', () => {
    if (figures.connected) figures.cutOff++;
    figures.connected = false;
  });

  const head = Buffer.from(`{"tid":"${'0'.repeat(TID_DIGITS)}","bid":"flood","timestamp":`);
  const rest = `${Date.now()},"gateway":"${mqttUser}","method":"${method}","need_reply":0,"data":{"text":"`;
  const padding = 'x'.repeat(Math.max(0, bytes - head.length - rest.length - 3));
  const message = Buffer.concat([head, Buffer.from(`${rest}${padding}"}}`)]);
  let unanswered = 0;
  let owed = 0;
  let lastMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    // What could not be sent is not made up for: the rate is what it is, never more than was asked for.
    owed = Math.min(perSecond, owed + ((nowMs - lastMs) / 1_000) * perSecond);
    lastMs = nowMs;
    while (owed >= 1 && client.connected && unanswered < MOST_UNANSWERED) {
      if (client.stream.writableLength > MOST_WAITING_BYTES) return;
      owed--;
      const payload = Buffer.from(message);
      payload.write(String(figures.sent++).padStart(TID_DIGITS, '0'), 8);
      unanswered++;
      client.publish(`thing/product/${mqttUser}/events`, payload, { qos: 1 }, () => unanswered--);
    }
  }, TICK_MS);
}

process.once('message', (order: FloodOrder) => flood(order));
process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches this process too; the parent decides when it ends.
process.on('SIGINT', () => undefined);
setInterval(() => process.send?.(figures), 100);
