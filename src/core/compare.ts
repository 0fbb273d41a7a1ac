/** Order by UTF-16 code unit, for sorting: no machine's language decides it. */
export function byCodeUnit(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

/** Order by falling score; equal scores by ID. */
export function bestFirst(left: { readonly id: string; readonly score: number }, right: { readonly id: string; readonly score: number }): number {
  return right.score - left.score || byCodeUnit(left.id, right.id);
}
