import type { FhirResource, Period, Quantity } from 'fhir/r4.js';
import { UCUM } from './sample-data.js';
import { parameterOf, type Token } from './sample-parameters.js';

export const PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'] as const;
export type Prefix = (typeof PREFIXES)[number];

/** A number or date as it is written in a search, such as `ge2020-02`. */
export interface Compared {
  readonly prefix: Prefix;
  readonly text: string;
}

/** A number with a unit; without `code` any unit is meant, with an empty `system` the code or the word. */
export interface ComparedQuantity extends Compared {
  readonly system?: string;
  readonly code?: string;
}

/** `system`: undefined is any, null is none. `code`: undefined is any. */
export interface AskedToken {
  readonly system: string | null | undefined;
  readonly code: string | undefined;
}

/** One parameter of a search; its values are alternatives. */
export type Criterion = { readonly code: string } & (
  | { readonly kind: 'missing'; readonly missing: boolean }
  | {
      readonly kind: 'string';
      readonly match: '' | ':exact' | ':contains';
      readonly texts: readonly string[];
    }
  | { readonly kind: 'token'; readonly negated: boolean; readonly tokens: readonly AskedToken[] }
  | { readonly kind: 'uri'; readonly uris: readonly string[] }
  | { readonly kind: 'date' | 'number'; readonly values: readonly Compared[] }
  | { readonly kind: 'quantity'; readonly values: readonly ComparedQuantity[] }
  | { readonly kind: 'reference'; readonly targets: readonly string[] }
  | { readonly kind: 'chain'; readonly type: string; readonly criterion: Criterion }
);

/** All resources of a tenant, by `Type/id`. */
export type Tenant = ReadonlyMap<string, FhirResource>;

/** Whether a resource matches, judged by the words of https://hl7.org/fhir/R4/search.html on its JSON. */
export function holds(tenant: Tenant, resource: FhirResource, criterion: Criterion): boolean {
  const parameter = parameterOf(resource.resourceType, criterion.code);
  if (criterion.kind === 'missing') return (parameter.of(resource).length === 0) === criterion.missing;
  switch (parameter.kind) {
    case 'string':
      return criterion.kind === 'string' && parameter.of(resource).some((text) => isText(text, criterion));
    case 'token':
      return criterion.kind === 'token' && isToken(parameter.of(resource), criterion);
    case 'uri':
      return criterion.kind === 'uri' && parameter.of(resource).some((uri) => criterion.uris.includes(uri));
    case 'date':
      return criterion.kind === 'date' && pairs(parameter.of(resource), criterion.values, isDate);
    case 'number':
      return criterion.kind === 'number' && pairs(parameter.of(resource), criterion.values, isNumber);
    case 'quantity':
      return criterion.kind === 'quantity' && pairs(parameter.of(resource), criterion.values, isQuantity);
    case 'reference':
      return parameter.of(resource).some((reference) => leads(tenant, reference, criterion));
  }
}

function pairs<T, V>(values: readonly T[], asked: readonly V[], is: (value: T, one: V) => boolean): boolean {
  return values.some((value) => asked.some((one) => is(value, one)));
}

function leads(tenant: Tenant, reference: string, criterion: Criterion): boolean {
  if (criterion.kind === 'reference')
    return criterion.targets.some((target) => reference === target || reference.endsWith(`/${target}`));
  const resource = tenant.get(reference);
  return criterion.kind === 'chain' && resource !== undefined && holds(tenant, resource, criterion.criterion);
}

function isText(text: string, { match, texts }: Extract<Criterion, { kind: 'string' }>): boolean {
  switch (match) {
    case ':exact':
      return texts.includes(text);
    case ':contains':
      return texts.some((part) => plain(text).includes(plain(part)));
    case '':
      return texts.some((start) => plain(text).startsWith(plain(start)));
  }
}

function plain(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

function isToken(
  found: readonly Token[],
  { tokens, negated }: Extract<Criterion, { kind: 'token' }>,
): boolean {
  const some = pairs(found, tokens, (token, asked) => {
    const isSystem = asked.system === undefined || (asked.system ?? undefined) === token.system;
    return isSystem && (asked.code === undefined || asked.code === token.code);
  });
  return some !== negated;
}

/** From the first millisecond up to, not including, `to`. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function isDate({ start, end }: Period, { prefix, text }: Compared): boolean {
  const span = {
    from: start === undefined ? -Infinity : spanOf(start).from,
    to: end === undefined ? Infinity : spanOf(end).to,
  };
  return compare(span, spanOf(text), prefix);
}

/** https://hl7.org/fhir/R4/search.html#prefix, word by word. */
function compare(target: Span, search: Span, prefix: Prefix): boolean {
  const contained = search.from <= target.from && target.to <= search.to;
  switch (prefix) {
    case 'eq':
      return contained;
    case 'ne':
      return !contained;
    case 'gt':
      return target.to > search.to;
    case 'lt':
      return target.from < search.from;
    case 'ge':
      return target.to > search.to || contained;
    case 'le':
      return target.from < search.from || contained;
    case 'sa':
      return target.from >= search.to;
    case 'eb':
      return target.to <= search.from;
  }
}

function spanOf(text: string): Span {
  if (text.length === 4) return { from: day(text, 0, 1), to: day(`${Number(text) + 1}`, 0, 1) };
  const [year = '', month = '', date = ''] = text.slice(0, 10).split('-');
  if (date === '') return { from: day(year, Number(month) - 1, 1), to: day(year, Number(month), 1) };
  if (text.length === 10)
    return {
      from: day(year, Number(month) - 1, Number(date)),
      to: day(year, Number(month) - 1, Number(date) + 1),
    };
  const from = Date.parse(text);
  return { from, to: from + (text.includes('.') ? 1 : 1000) };
}

function day(year: string, month: number, date: number): number {
  return new Date(0).setUTCFullYear(Number(year), month, date);
}

/** Millionths, so that decimals are compared without noise. */
function millionths(number: number): number {
  return Math.round(number * 1e6);
}

function isNumber(value: number, { prefix, text }: Compared): boolean {
  const [found, asked] = [millionths(value), millionths(Number(text))];
  const half = millionths(10 ** -(text.split('.')[1]?.length ?? 0)) / 2;
  const within = found >= asked - half && found < asked + half;
  switch (prefix) {
    case 'eq':
      return within;
    case 'ne':
      return !within;
    case 'gt':
    case 'sa':
      return found > asked;
    case 'lt':
    case 'eb':
      return found < asked;
    case 'ge':
      return found >= asked;
    case 'le':
      return found <= asked;
  }
}

const MILLIGRAMS: Readonly<Record<string, number>> = { ug: 0.001, mg: 1, g: 1000 };

function isQuantity(quantity: Quantity, asked: ComparedQuantity): boolean {
  const { value, system, code, unit } = quantity;
  if (value === undefined) return false;
  if (asked.code === undefined) return isNumber(value, asked);
  if (asked.system === '') return [code, unit].includes(asked.code) && isNumber(value, asked);
  if (system !== asked.system) return false;
  if (code === asked.code) return isNumber(value, asked);
  const [from, to] = [MILLIGRAMS[code ?? ''], MILLIGRAMS[asked.code]];
  return system === UCUM && from !== undefined && to !== undefined && isNumber((value * from) / to, asked);
}
