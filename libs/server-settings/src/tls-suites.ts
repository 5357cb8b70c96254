/**
 * Suites of servers to which our programs alone connect, as OpenSSL writes them: keys that are gone with the connection, and
 * a changed byte that is noticed. The listener of docks has OpenSSL's own choice: nobody knows which suites each dock has.
 */
export const SERVER_SUITES = 'ECDHE+AESGCM:ECDHE+CHACHA20';
