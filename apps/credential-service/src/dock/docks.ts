import { type DockRecord, docksQuestion } from '@aerie/bus-contract';
import { AskTogether } from '@aerie/kernel';
import { type NatsConnection, ask } from '@aerie/messaging';

/**
 * Whose a dock is. After a power cut the docks of a whole region ask within a second, so they are looked up together.
 * Nothing is remembered: a dock that changes hands gets nothing of its old owner.
 */
export const docksBy = (connection: NatsConnection): AskTogether<DockRecord> =>
  new AskTogether(async (sns) => {
    const { docks } = await ask(connection, docksQuestion, { sns: [...sns] });
    return new Map(docks.map((dock) => [dock.sn, dock]));
  });
