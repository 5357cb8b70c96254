import { Problem } from '../infrastructure/problem.js';

/** A page with its generated part replaced: what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
export function withGeneratedPart(page: string, name: string, file: string, part: string): string {
  const [BEGIN, END] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin === -1 || end < begin) throw new Problem(`${file} must have the lines ${BEGIN} and ${END}, in this order.`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${part}\n\n${page.slice(end)}`;
}
