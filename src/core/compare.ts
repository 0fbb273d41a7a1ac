/** Order by UTF-16 code unit, for sorting: no machine's language decides it. */
export function byCodeUnit(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
