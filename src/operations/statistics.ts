type Compute = (values: readonly number[]) => number;

/** Of values in ascending order, of which there is at least one. */
const STATISTICS = {
  average,
  maximum: (values) => values.at(-1) ?? Number.NaN,
  minimum: (values) => values[0] ?? Number.NaN,
  median: (values) => percentile(values, 0.5),
  'std-dev': (values) => Math.sqrt(variance(values)),
  sum,
  variance,
  '20-percent': (values) => percentile(values, 0.2),
  '80-percent': (values) => percentile(values, 0.8),
  '4-lower': (values) => percentile(values, 0.25),
  '4-upper': (values) => percentile(values, 0.75),
} as const satisfies Readonly<Record<string, Compute>>;

/** A code of http://terminology.hl7.org/CodeSystem/observation-statistics that is computed here. */
export type StatisticCode = keyof typeof STATISTICS;

const SIGNIFICANT_DIGITS = 12;

/** Whether a code is one of those that are computed. */
export function isStatistic(code: string): code is StatisticCode {
  return Object.hasOwn(STATISTICS, code);
}

/** The codes that are computed. */
export function statisticCodes(): readonly string[] {
  return Object.keys(STATISTICS);
}

/**
 * One statistic, to 12 significant digits; undefined where there are no values. Deviation and variance are those of
 * the values themselves, not of a population they were drawn from; percentiles are interpolated.
 */
export function computeStatistic(code: StatisticCode, values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return Number(STATISTICS[code](values.toSorted((a, b) => a - b)).toPrecision(SIGNIFICANT_DIGITS));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function average(values: readonly number[]): number {
  return sum(values) / values.length;
}

function variance(values: readonly number[]): number {
  const mean = average(values);
  return average(values.map((value) => (value - mean) ** 2));
}

function percentile(values: readonly number[], part: number): number {
  const place = (values.length - 1) * part;
  const low = values[Math.floor(place)] ?? Number.NaN;
  const high = values[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
}
