/** A session as its token states it. */
export interface Session {
  readonly accessKeyId: string;
  readonly roleArn: string;
  readonly sessionName: string;
  /** The text of the session policy, null for none. */
  readonly policy: string | null;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Who signed a request: the key of the configuration, which may do anything, or a session of a role. */
export type Caller = { readonly kind: 'root' } | { readonly kind: 'session'; readonly session: Session };
