/** Between 0 and 1: the logistic function of a classifier's raw score (logit). */
export function probability(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
