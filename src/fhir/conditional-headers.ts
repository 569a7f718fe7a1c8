import { FhirError } from '../model/errors.js';

/** Value of an If-Match or If-None-Match header: any version that exists, or these. */
export type EntityTags =
  { readonly kind: 'any' } | { readonly kind: 'versions'; readonly versions: readonly string[] };

/** The state of a resource that conditions are compared with. `updated` is in milliseconds since 1970 UTC. */
export interface CurrentState {
  readonly version: number;
  readonly updated: number;
}

const ENTITY_TAG = /^(?:W\/)?"([^"\s]{0,64})"$/;
const BARE_VERSION = /^[A-Za-z0-9.-]{1,64}$/;

/** The weak entity tag of a version, `W/"3"` (https://hl7.org/fhir/R4/http.html#versioning). */
export function formatEntityTag(version: number): string {
  return `W/"${version}"`;
}

/**
 * Reads If-Match, If-None-Match, or their like in a bundle entry: `*` or a list of entity tags. A bare version
 * (`3`), which many clients send, is read as the tag of that version. Throws INVALID_REQUEST.
 */
export function parseEntityTags(text: string, header: 'If-Match' | 'If-None-Match'): EntityTags {
  if (text.trim() === '*') return { kind: 'any' };
  return { kind: 'versions', versions: text.split(',').map((item) => parseEntityTag(item.trim(), header)) };
}

function parseEntityTag(text: string, header: string): string {
  const version = ENTITY_TAG.exec(text)?.[1] ?? (BARE_VERSION.test(text) ? text : undefined);
  if (version === undefined) {
    throw new FhirError('INVALID_REQUEST', `${header} must be * or entity tags such as W/"3".`);
  }
  return version;
}

/** Whether the tags name the version; weak comparison, as FHIR asks for. */
export function includesVersion(tags: EntityTags, version: number): boolean {
  return tags.kind === 'any' || tags.versions.includes(String(version));
}

/** An HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`; the fraction of the second is cut off. */
export function formatHttpDate(time: number): string {
  const second = Math.floor(time / 1000);
  const known = HTTP_DATES.get(second);
  if (known !== undefined) return known;
  const date = new Date(time).toUTCString();
  if (HTTP_DATES.size >= MOST_DATES) HTTP_DATES.clear();
  HTTP_DATES.set(second, date);
  return date;
}

/** What is read together was often written together. */
const HTTP_DATES = new Map<number, string>();
const MOST_DATES = 1000;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAY = '(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?';
const CLOCK = '(\\d\\d:\\d\\d:\\d\\d)';
const MONTH = `(${MONTHS.join('|')})`;
/** The three forms of https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7, as day, month, year and clock. */
const FIXED_DATE = new RegExp(`^${WEEKDAY}, (\\d\\d) ${MONTH} (\\d{4}) ${CLOCK} GMT$`);
const RFC850_DATE = new RegExp(`^${WEEKDAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${CLOCK} GMT$`);
const ASCTIME_DATE = new RegExp(`^${WEEKDAY} ${MONTH} ([ \\d]\\d) ${CLOCK} (\\d{4})$`);
/** https://hl7.org/fhir/R4/datatypes.html#instant */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Reads an HTTP date in any of its three forms as milliseconds since 1970; undefined if it is none. */
export function parseHttpDate(text: string): number | undefined {
  const fixed = FIXED_DATE.exec(text);
  if (fixed) return toTime(fixed[3]!, fixed[2]!, fixed[1]!, fixed[4]!);
  const old = RFC850_DATE.exec(text);
  if (old) return toTime(fullYear(Number(old[3])), old[2]!, old[1]!, old[4]!);
  const asctime = ASCTIME_DATE.exec(text);
  if (asctime) return toTime(asctime[4]!, asctime[1]!, asctime[2]!.replace(' ', '0'), asctime[3]!);
  return undefined;
}

/** Two-digit years from 70 on are of the twentieth century. */
function fullYear(year: number): string {
  return String(year < 70 ? 2000 + year : 1900 + year);
}

function toTime(year: string, month: string, day: string, clock: string): number | undefined {
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const time = Date.parse(`${year}-${number}-${day}T${clock}Z`);
  return Number.isNaN(time) || new Date(time).getUTCDate() !== Number(day) ? undefined : time;
}

/**
 * Reads If-Modified-Since or If-Unmodified-Since: an HTTP date, or an instant as bundle entries have it. Milliseconds
 * since 1970. Throws INVALID_REQUEST.
 */
export function parseHttpTime(text: string, header: 'If-Modified-Since' | 'If-Unmodified-Since'): number {
  const trimmed = text.trim();
  const time = INSTANT.test(trimmed) ? Date.parse(trimmed) : parseHttpDate(trimmed);
  if (time === undefined || Number.isNaN(time)) {
    throw new FhirError('INVALID_REQUEST', `${header} must be an HTTP date or an instant.`);
  }
  return time;
}

/**
 * Whether a conditional read is answered 304. If-None-Match decides alone where both are sent
 * (https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2).
 */
export function isNotModified(
  current: CurrentState,
  conditions: {
    readonly ifNoneMatch?: EntityTags | undefined;
    readonly ifModifiedSince?: number | undefined;
  },
): boolean {
  const { ifNoneMatch, ifModifiedSince } = conditions;
  if (ifNoneMatch !== undefined) return includesVersion(ifNoneMatch, current.version);
  return ifModifiedSince !== undefined && !isModifiedSince(current, ifModifiedSince);
}

/** By the second, which is all that Last-Modified tells. */
export function isModifiedSince({ updated }: CurrentState, time: number): boolean {
  return Math.floor(updated / 1000) > Math.floor(time / 1000);
}
