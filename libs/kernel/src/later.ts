/**
 * Work that others begin later, and that still belongs to whoever calls this: a request id or a trace, which follow the flow
 * of calls, are those of now.
 */
export function later<Given, Result>(work: (given: Given) => Promise<Result>): (given: Given) => Promise<Result> {
  let begin: (given: Given) => void = () => undefined;
  const done = new Promise<Given>((resolve) => (begin = resolve)).then(work);
  return (given) => {
    begin(given);
    return done;
  };
}
