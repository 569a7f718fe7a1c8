/** Two samples compared. */
export interface Comparison {
  readonly medians: readonly [number, number];
  /** How much the second median differs from the first, as a part of it. */
  readonly difference: number;
  /**
   * How likely ranks as unlike as these are where both samples are of one distribution; two-sided Mann-Whitney test
   * with the normal approximation.
   */
  readonly p: number;
}

/** Compares samples of at least some dozens. Equal values are so rare among times that they are not corrected for. */
export function compareSamples(one: readonly number[], other: readonly number[]): Comparison {
  const medians = [medianOf(one), medianOf(other)] as const;
  const all = [
    ...one.map((value) => ({ value, first: true })),
    ...other.map((value) => ({ value, first: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let rankSum = 0;
  all.forEach(({ first }, index) => {
    if (first) rankSum += index + 1;
  });
  const [n, m] = [one.length, other.length];
  const u = rankSum - (n * (n + 1)) / 2;
  const z = (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return {
    medians,
    difference: Math.abs(medians[1] - medians[0]) / medians[0],
    p: 2 * upperTail(Math.abs(z)),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Of the normal distribution: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const factors = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = factors.reduceRight((rest, factor) => t * (factor + rest), 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}
