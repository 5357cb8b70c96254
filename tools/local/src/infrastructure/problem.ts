/** Something that the person at the keyboard has to do. Its message says what; no stack is shown. */
export class Problem extends Error {}
