const MS_PER_DAY = 86_400_000;

/** `YYYY-MM-DD` as the days since 1970 that are stored. */
export function toStoredDate(date: string | null): number | null {
  return date === null ? null : Math.floor(Date.parse(`${date}T00:00:00Z`) / MS_PER_DAY);
}

/** Stored days since 1970 as `YYYY-MM-DD`. */
export function fromStoredDate(days: number | null): string | null {
  return days === null ? null : new Date(days * MS_PER_DAY).toISOString().slice(0, 10);
}
