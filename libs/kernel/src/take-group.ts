/** Takes the first that waits, and those of its group that wait behind it: so many at most, in their order. */
export function takeGroup<Item>(waiting: Item[], most: number, groupOf?: (item: Item) => string): Item[] {
  const [first] = waiting;
  if (groupOf === undefined || first === undefined) return waiting.splice(0, most);
  const wanted = groupOf(first);
  const taken: Item[] = [];
  const left: Item[] = [];
  for (const item of waiting) (taken.length < most && groupOf(item) === wanted ? taken : left).push(item);
  waiting.splice(0, waiting.length, ...left);
  return taken;
}
