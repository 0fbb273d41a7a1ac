/**
 * The candidate closest to what was typed, for "did you mean …?"; undefined when nothing is close.
 * Distance is optimal string alignment (Damerau-Levenshtein without repeated edits), at most a third of the length.
 */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(typed.length / 3));
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    // They differ by that much at least; to find out by how much exactly takes memory for every pair of their letters.
    if (Math.abs(typed.length - candidate.length) > limit) continue;
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** "Did you mean "x"?" with a leading space, or nothing. */
export function didYouMean(typed: string, candidates: Iterable<string>): string {
  const match = nearest(typed, candidates);
  return match === undefined ? "" : ` Did you mean "${match}"?`;
}

function editDistance(left: string, right: string): number {
  const rows = Array.from({ length: left.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let j = 1; j <= right.length; j++) rows[0]?.push(j);
  for (let i = 1; i <= left.length; i++) {
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      let distance = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost);
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (isSwap) distance = Math.min(distance, at(i - 2, j - 2) + 1);
      rows[i]?.push(distance);
    }
  }
  return at(left.length, right.length);
}
