/** The middle value; the upper one of two. */
export function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  return ordered[ordered.length >> 1] ?? NaN;
}

/** The value that this part (0 to 1) of all values does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const ordered = values.toSorted((a, b) => a - b);
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * part))] ?? NaN;
}
