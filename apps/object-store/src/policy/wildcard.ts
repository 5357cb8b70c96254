/**
 * Whether `text` is what `pattern` describes: `*` stands for any characters, `?` for one.
 *
 * Only the last star is ever tried again, as a shorter match of an earlier one cannot help. So a hostile pattern costs
 * at most its length times the text's, and most cost one walk along the text.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  const wanted = [...pattern.replace(/\*+/g, '*')];
  const given = [...text];
  let at = 0;
  let star = -1;
  let afterStar = 0;
  let index = 0;
  while (index < given.length) {
    if (wanted[at] === '*') {
      star = at++;
      afterStar = index;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++afterStar;
    } else {
      return false;
    }
  }
  while (wanted[at] === '*') at++;
  return at === wanted.length;
}
