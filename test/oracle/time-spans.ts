import type { Period, Timing } from 'fhir/r4.js';

/** From a millisecond up to, not including, another; both since 1970 UTC. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

/** The time that a date, dateTime or instant covers by its precision; without zone it is UTC. */
export function spanOf(text: string): TimeSpan {
  const [year = 0, month, day] = text.slice(0, 10).split('-').map(Number);
  if (month === undefined) return { from: midnight(year, 0, 1), to: midnight(year + 1, 0, 1) };
  if (day === undefined) return { from: midnight(year, month - 1, 1), to: midnight(year, month, 1) };
  if (text.length === 10)
    return { from: midnight(year, month - 1, day), to: midnight(year, month - 1, day + 1) };
  const [, clock = '', zone = ''] = /T([\d:.]+)(.*)$/.exec(text) ?? [];
  const from = Date.parse(`${text.slice(0, 10)}T${clock}${zone === '' ? 'Z' : zone}`);
  return { from, to: from + (clock.includes('.') ? 1 : clock.length === 5 ? 60_000 : 1000) };
}

/** A period without start or end has none. */
export function spanOfPeriod({ start, end }: Period): TimeSpan | undefined {
  if (start === undefined && end === undefined) return undefined;
  return {
    from: start === undefined ? -Infinity : spanOf(start).from,
    to: end === undefined ? Infinity : spanOf(end).to,
  };
}

/** "The outer limits of the schedule" (https://hl7.org/fhir/R4/search.html#date). */
export function spanOfTiming({ event = [], repeat }: Timing): TimeSpan | undefined {
  const bounds = repeat?.boundsPeriod && spanOfPeriod(repeat.boundsPeriod);
  const spans = [...event.map(spanOf), ...(bounds ? [bounds] : [])];
  if (spans.length === 0) return undefined;
  return {
    from: Math.min(...spans.map(({ from }) => from)),
    to: Math.max(...spans.map(({ to }) => to)),
  };
}

function midnight(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day);
}
