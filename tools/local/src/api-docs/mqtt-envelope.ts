import type { Channel } from '@aerie/dji-protocol';
import type { Json } from './types.js';

const id = (description: string): Json => ({ type: 'string', maxLength: 128, description });

/** What every message carries around its data. [Cloud API, topic definition, common fields] */
export function envelope(channel: Channel, method: string | null, data: Json): Json {
  const asks = channel === 'events';
  return {
    type: 'object',
    required: ['tid', 'bid', 'timestamp', ...(method === null ? [] : ['method']), 'data'],
    properties: {
      tid: id('Transaction: a request and its reply have the same.'),
      bid: id('The whole job; of a mission it is the id.'),
      timestamp: {
        type: 'integer',
        description: 'When it was sent, by the clock of the sender, milliseconds since the epoch.',
      },
      ...(method === null ? {} : { method: { const: method, description: 'What it is about.' } }),
      gateway: { type: 'string', description: 'Who claims to speak. The topic is the authority.' },
      ...(asks ? { need_reply: { enum: [0, 1], description: '1: the dock waits for an answer.' } } : {}),
      data,
    },
  };
}
