import { InvalidError } from '@aerie/kernel';

/** No input of ours is nested deeper; what walks through it, or writes it down, would run out of its stack. */
export const DEEPEST = 32;

/** Looks no deeper than it has to. */
const isDeeperThan = (levels: number, value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((entry) => isDeeperThan(levels - 1, entry));
};

/** @throws InvalidError where a body is nested too deeply */
export function refuseDeep(body: unknown): void {
  if (!isDeeperThan(DEEPEST, body)) return;
  const message = `must not be nested deeper than ${DEEPEST} levels`;
  throw new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field: 'body', message }] });
}
