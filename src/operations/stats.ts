/** $stats: https://hl7.org/fhir/R4/observation-operation-stats.html */
import { canonicalQuantity, UCUM_SYSTEM } from '../fhir/ucum.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { isJsonObject } from '../interactions/incoming.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import {
  findObservations,
  type FoundObservation,
  type ObservationCoding,
  type ObservationValue,
} from './observations.js';
import { assertKnown, type OperationParameter, readParameters, single, singleInteger } from './parameters.js';
import { computeStatistic, isStatistic, statisticCodes } from './statistics.js';

const KNOWN = ['subject', 'code', 'system', 'coding', 'duration', 'period', 'statistic', 'include', 'limit'];
const STATISTICS_SYSTEM = 'http://terminology.hl7.org/CodeSystem/observation-statistics';
const COUNTS = ['count', 'total-count'];
/** Neither ever took place. */
const NOT_MEASURED = new Set(['entered-in-error', 'cancelled']);
const MAX_CODES = 50;
const DEFAULT_SOURCES = 100;
const MAX_SOURCES = 1000;
const HOUR = 3_600_000;

/** What is computed of which observations. */
interface StatsRequest {
  readonly subject: string;
  readonly codings: readonly ObservationCoding[];
  readonly statistics: readonly string[];
  readonly dates: readonly string[];
  /** How many of the observations are returned too. */
  readonly sources: number;
}

/** Statistics over the quantities that a subject's observations of each code have. */
export async function stats(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const asked = parseStats(readParameters(request), server.clock());
  const { found } = await findObservations(server, { ...request, parameters: [] }, toCriteria(asked));
  const measured = found.filter(({ content }) => !NOT_MEASURED.has(content.status ?? ''));
  const statistics = asked.codings.map((coding) => ({
    name: 'statistics',
    resource: toStatistics(coding, asked, measured),
  }));
  const sources = measured
    .slice(0, asked.sources)
    .map(({ content }) => ({ name: 'source', resource: content }));
  return resourceResponse(request, { resourceType: 'Parameters', parameter: [...statistics, ...sources] });
}

/** @throws FhirError INVALID_REQUEST, NOT_SUPPORTED, LIMIT_EXCEEDED */
function parseStats(parameters: readonly OperationParameter[], now: number): StatsRequest {
  assertKnown(parameters, KNOWN);
  const subject = single(parameters, 'subject');
  if (subject === undefined) throw invalid("The parameter 'subject' is required.");
  const statistics = textsOf(parameters, 'statistic');
  if (statistics.length === 0) throw invalid("The parameter 'statistic' is required.");
  const unknown = statistics.find((code) => !isStatistic(code) && !COUNTS.includes(code));
  if (unknown !== undefined) {
    const known = [...COUNTS, ...statisticCodes()].join(', ');
    const message = `The statistic '${unknown.slice(0, 40)}' is not computed here; use one of ${known}.`;
    throw new FhirError('NOT_SUPPORTED', message);
  }
  const dates = [...durationOf(parameters, now), ...periodOf(parameters)];
  return { subject, codings: codingsOf(parameters), statistics, dates, sources: sourcesOf(parameters) };
}

function codingsOf(parameters: readonly OperationParameter[]): readonly ObservationCoding[] {
  const system = single(parameters, 'system');
  const codes = textsOf(parameters, 'code').map((code) => ({
    code,
    ...(system === undefined ? {} : { system }),
  }));
  const codings = parameters
    .filter(({ name }) => name === 'coding')
    .map(({ value }) => (isJsonObject(value) ? (value as ObservationCoding) : invalidCoding()));
  const all = [...codes, ...codings];
  if (all.length === 0) throw invalid("Name what was measured by 'code' (with 'system') or 'coding'.");
  if (all.length > MAX_CODES) throw new FhirError('LIMIT_EXCEEDED', `At most ${MAX_CODES} codes at once.`);
  return all;
}

function invalidCoding(): never {
  throw invalid("The parameter 'coding' is a Coding, in a Parameters resource.");
}

function durationOf(parameters: readonly OperationParameter[], now: number): readonly string[] {
  const text = single(parameters, 'duration');
  if (text === undefined) return [];
  if (!/^\d{1,7}(\.\d{1,6})?$/.test(text)) throw invalid("The parameter 'duration' is a number of hours.");
  return [`ge${new Date(now - Number(text) * HOUR).toISOString()}`];
}

function periodOf(parameters: readonly OperationParameter[]): readonly string[] {
  const period = parameters.find(({ name }) => name === 'period');
  if (period === undefined) return [];
  if (!isJsonObject(period.value))
    throw invalid("The parameter 'period' is a Period, in a Parameters resource.");
  const { start, end } = period.value;
  return [
    ...(typeof start === 'string' ? [`ge${start}`] : []),
    ...(typeof end === 'string' ? [`le${end}`] : []),
  ];
}

function sourcesOf(parameters: readonly OperationParameter[]): number {
  const limit = singleInteger(parameters, 'limit') ?? DEFAULT_SOURCES;
  if (limit < 1) throw invalid("The parameter 'limit' is a whole number from 1.");
  if (limit > MAX_SOURCES)
    throw new FhirError('LIMIT_EXCEEDED', `At most ${MAX_SOURCES} observations are returned.`);
  const include = single(parameters, 'include') ?? 'false';
  if (include !== 'true' && include !== 'false') throw invalid("The parameter 'include' is true or false.");
  return include === 'true' ? limit : 0;
}

function toCriteria({ subject, codings, dates }: StatsRequest): readonly QueryParameter[] {
  const codes = codings.map(({ system, code = '' }) =>
    system === undefined ? escaped(code) : `${escaped(system)}|${escaped(code)}`,
  );
  return [
    ['subject', escaped(subject)],
    ['code', codes.join(',')],
    ...dates.map((date): QueryParameter => ['date', date]),
  ];
}

function escaped(text: string): string {
  return text.replaceAll(/[\\,|$]/g, String.raw`\$&`);
}

function toStatistics(
  coding: ObservationCoding,
  { subject, statistics }: StatsRequest,
  found: readonly FoundObservation[],
): object {
  const own = found.filter(({ content }) => content.code?.coding?.some((one) => isSame(one, coding)));
  const quantities = own.flatMap(({ content: { valueQuantity } }) =>
    valueQuantity?.value === undefined ? [] : [valueQuantity],
  );
  const { values, unit } = inOneUnit(quantities, coding);
  const counts: Readonly<Record<string, number>> = { count: values.length, 'total-count': own.length };
  const component = statistics.flatMap((code): readonly object[] => {
    const name = { coding: [{ system: STATISTICS_SYSTEM, code }] };
    if (!isStatistic(code)) return [{ code: name, valueInteger: counts[code] ?? 0 }];
    const value = computeStatistic(code, values);
    return value === undefined ? [] : [{ code: name, valueQuantity: { value, ...unit } }];
  });
  const about = /^https?:|^urn:|\//.test(subject) ? subject : `Patient/${subject}`;
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [coding] },
    subject: { reference: about },
    ...(component.length === 0 ? {} : { component }),
  };
}

function isSame(one: ObservationCoding, asked: ObservationCoding): boolean {
  return one.code === asked.code && (asked.system === undefined || one.system === asked.system);
}

type Unit = Pick<ObservationValue, 'unit' | 'system' | 'code'>;

/** All values in the unit of the newest. @throws FhirError INVALID_REQUEST where one can't be converted */
function inOneUnit(
  quantities: readonly ObservationValue[],
  { code }: ObservationCoding,
): { readonly values: readonly number[]; readonly unit: Unit } {
  const [{ unit, system, code: unitCode } = {}] = quantities;
  const target: Unit = {
    ...(unit === undefined ? {} : { unit }),
    ...(system === undefined ? {} : { system }),
    ...(unitCode === undefined ? {} : { code: unitCode }),
  };
  const values = quantities.map((quantity) => {
    const value = converted(quantity, target);
    if (value !== undefined) return value;
    const [from, to] = [quantity, target].map((one) => one.code ?? one.unit ?? 'no unit');
    throw invalid(`Values of '${code ?? ''}' are in '${from}' and in '${to}', which can't be converted.`);
  });
  return { values, unit: target };
}

function converted(quantity: ObservationValue, target: Unit): number | undefined {
  const { value = Number.NaN, system, code, unit } = quantity;
  if (system === target.system && code === target.code && (code !== undefined || unit === target.unit))
    return value;
  if (system !== UCUM_SYSTEM || target.system !== UCUM_SYSTEM) return undefined;
  const canonical = canonicalQuantity(value, code ?? '');
  const [zero, one] = [0, 1].map((number) => canonicalQuantity(number, target.code ?? ''));
  if (!canonical || !zero || !one || canonical.unit !== zero.unit) return undefined;
  return (canonical.value - zero.value) / (one.value - zero.value);
}

function textsOf(parameters: readonly OperationParameter[], wanted: string): readonly string[] {
  return parameters.flatMap(({ name, text }) => (name === wanted && text !== undefined ? [text] : []));
}

function invalid(message: string): FhirError {
  return new FhirError('INVALID_REQUEST', message);
}
