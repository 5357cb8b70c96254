export { type NatsConnection, connectNats, natsOptions } from './connection.js';
export { declareTopology } from './declare.js';
export { ACK, type ConsumerHandle, type Delivery, type Verdict, consume } from './consume.js';
export { NoAnswerError, ask, readAsk } from './ask.js';
export { JetStreamPublisher } from './publish.js';
export { messageIdOf } from './message-id.js';
export { DeadLetters } from './dead-letters.js';
export { answerDock } from './answer-dock.js';
export { Backlog } from './backlog.js';
