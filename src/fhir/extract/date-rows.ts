import { dateRange, EARLIEST, LATEST, type DateRange } from '../date-range.js';
import { asList, asObject, asText } from './element-values.js';
import type { RowMaker, RowMakers } from './row-maker.js';

const date: RowMaker = (value, path, rows) => {
  const range = rangeOf(value);
  if (range) rows.dates.push({ path, low: range.low, high: range.high });
};

const period: RowMaker = (value, path, rows) => {
  const range = periodRange(value);
  if (range) rows.dates.push({ path, low: range.low, high: range.high });
};

/** Only the outer limits of a schedule count. */
const timing: RowMaker = (value, path, rows) => {
  const schedule = asObject(value);
  const bounds = periodRange(asObject(schedule?.['repeat'])?.['boundsPeriod']);
  const ranges = asList(schedule?.['event']).flatMap((event) => rangeOf(event) ?? []);
  if (bounds) ranges.push(bounds);
  if (ranges.length === 0) return;
  const low = ranges.reduce((least, range) => Math.min(least, range.low), Infinity);
  const high = ranges.reduce((most, range) => Math.max(most, range.high), -Infinity);
  rows.dates.push({ path, low, high });
};

function periodRange(value: unknown): DateRange | undefined {
  const part = asObject(value);
  const start = rangeOf(part?.['start']);
  const end = rangeOf(part?.['end']);
  return start || end ? { low: start?.low ?? EARLIEST, high: end?.high ?? LATEST } : undefined;
}

function rangeOf(value: unknown): DateRange | undefined {
  const text = asText(value);
  return text === undefined ? undefined : dateRange(text);
}

/** https://hl7.org/fhir/R4/search.html#date */
export const dateRows: RowMakers = { date, dateTime: date, instant: date, Period: period, Timing: timing };
