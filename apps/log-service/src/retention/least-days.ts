/** Shorter than this, a dock that comes back could speak of an upload whose commands nobody finds. */
export const LEAST_DETAIL_DAYS = 8;
