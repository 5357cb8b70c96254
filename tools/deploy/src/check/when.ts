/** A finding, where it is one. */
export const when = (isSo: boolean, finding: string): string[] => (isSo ? [finding] : []);
