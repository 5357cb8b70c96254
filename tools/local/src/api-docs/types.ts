export type Json = Readonly<Record<string, unknown>>;

/** The part of an AsyncAPI document that one transport adds. */
export interface Part {
  readonly channels: Readonly<Record<string, Json>>;
  readonly operations: Readonly<Record<string, Json>>;
  readonly messages: Readonly<Record<string, Json>>;
}

export const serverRef = (name: string) => ({ $ref: `#/servers/${name}` });
export const channelRef = (name: string) => ({ $ref: `#/channels/${name}` });
export const messageRef = (name: string) => ({ $ref: `#/components/messages/${name}` });
/** Operations name the messages of their channel, not those of the components. */
export const channelMessageRef = (channel: string, message: string) => ({
  $ref: `#/channels/${channel}/messages/${message}`,
});
