/** The time that a date or dateTime covers, in milliseconds since 1970 UTC, both ends inclusive. */
export interface DateRange {
  readonly low: number;
  readonly high: number;
}

/** The ends of a period without start or end: the first and last millisecond that a JavaScript date can be. */
export const EARLIEST = -8.64e15;
export const LATEST = 8.64e15;

const DATE =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:(Z)|([+-])(\d\d):(\d\d))?)?)?)?$/;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The range of a date, dateTime or instant by its precision: `2013` covers a year, `2013-01-14T10:00` a minute
 * (https://hl7.org/fhir/R4/search.html#date). Undefined where the text is none or no such day exists. A time
 * without zone is UTC; minutes may stand without seconds, as search values may.
 */
export function dateRange(text: string): DateRange | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const year = Number(match[1]);
  if (year === 0) return undefined;
  if (match[2] === undefined) return yearRange(year);
  const month = Number(match[2]);
  if (month < 1 || month > 12) return undefined;
  if (match[3] === undefined)
    return { low: dayStart(year, month, 1), high: dayStart(year, month + 1, 1) - 1 };
  const low = dayStart(year, month, Number(match[3]));
  if (new Date(low).getUTCDate() !== Number(match[3])) return undefined;
  return match[4] === undefined ? { low, high: low + DAY - 1 } : timeRange(low, match);
}

function yearRange(year: number): DateRange {
  return { low: dayStart(year, 1, 1), high: dayStart(year + 1, 1, 1) - 1 };
}

/** Second 60 is a leap second: the first one of the next minute. */
function timeRange(day: number, match: RegExpExecArray): DateRange | undefined {
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6] ?? 0);
  const offset = zoneOffset(match);
  if (hour > 23 || minute > 59 || second > 60 || offset === undefined) return undefined;
  const fraction = Math.floor(Number(`0.${match[7] ?? 0}`) * SECOND);
  const low = day + hour * HOUR + minute * MINUTE + second * SECOND + fraction - offset;
  return { low, high: low + precision(match) - 1 };
}

function zoneOffset(match: RegExpExecArray): number | undefined {
  if (match[9] === undefined) return 0;
  const hours = Number(match[10]);
  const minutes = Number(match[11]);
  if (hours > 14 || minutes > 59) return undefined;
  return (match[9] === '-' ? -1 : 1) * (hours * HOUR + minutes * MINUTE);
}

function precision(match: RegExpExecArray): number {
  if (match[6] === undefined) return MINUTE;
  return match[7] === undefined ? SECOND : 1;
}

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999. */
function dayStart(year: number, month: number, day: number): number {
  const time = Date.UTC(year, month - 1, day);
  return year < 100 ? new Date(time).setUTCFullYear(year, month - 1, day) : time;
}
