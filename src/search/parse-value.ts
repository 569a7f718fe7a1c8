import { dateRange } from '../fhir/date-range.js';
import { isResourceType } from '../fhir/definitions.js';
import type { SearchParameter } from '../fhir/index-values.js';
import { isResourceId, parseReference as readReference } from '../fhir/references.js';
import { splitEscaped, unescape } from './escape.js';
import { invalidParameter, type ParameterContext } from './parse-context.js';
import { parseComparedNumber, PREFIXES, splitPrefix } from './parse-number.js';
import type { SearchValue } from './search-request.js';

/** The parameter whose value is read, and what its modifier says. */
export interface ValueSyntax {
  readonly parameter: SearchParameter;
  readonly match: 'prefix' | 'exact' | 'contains';
  /** `:[type]` of a reference. */
  readonly referenceType: string | undefined;
}

/** A reference to more types than this may as well lead to any. */
const MOST_TYPES = 20;
/** `ap` widens a date by a tenth of its distance from now. */
const APPROXIMATION = 0.1;

/** One alternative of a value, still escaped. @throws FhirError INVALID_SEARCH */
export function parseValue(text: string, syntax: ValueSyntax, context: ParameterContext): SearchValue {
  if (text === '') throw invalidParameter(context.name, 'the value is empty.');
  if (syntax.parameter.code === '_id') return { kind: 'id', id: unescape(text) };
  switch (syntax.parameter.type) {
    case 'token':
      return parseToken(text, context);
    case 'string':
      return { kind: 'string', match: syntax.match, text: unescape(text) };
    case 'date':
      return parseDate(text, context);
    case 'number':
      return { kind: 'number', ...parseNumber(text, context) };
    case 'quantity':
      return parseQuantity(text, context);
    case 'uri':
      return { kind: 'uri', uri: unescape(text) };
    case 'reference':
      return parseReference(unescape(text), syntax, context);
    case 'composite':
    case 'special':
      throw invalidParameter(
        context.name,
        `parameters of type ${syntax.parameter.type} have no values here.`,
      );
  }
}

function parseToken(text: string, { name }: ParameterContext): SearchValue {
  const [first = '', second, ...more] = splitEscaped(text, '|').map(unescape);
  if (second === undefined) return { kind: 'token', system: undefined, code: first };
  if (more.length > 0) throw invalidParameter(name, 'a token is code, system|code, |code or system|.');
  if (first === '' && second === '') throw invalidParameter(name, 'a token needs a system or a code.');
  return { kind: 'token', system: first === '' ? null : first, code: second === '' ? undefined : second };
}

function parseDate(text: string, { name, now }: ParameterContext): SearchValue {
  const { comparison, rest } = splitPrefix(unescape(text));
  const range = dateRange(rest);
  if (range === undefined) {
    throw invalidParameter(
      name,
      `"${text}" is no date (YYYY, YYYY-MM, YYYY-MM-DD or a dateTime), ${orPrefixed()}.`,
    );
  }
  const { low, high } = range;
  if (comparison !== 'ap') return { kind: 'date', comparison, low, high };
  const margin = Math.round(Math.abs(now - low) * APPROXIMATION);
  return { kind: 'date', comparison, low: low - margin, high: high + margin };
}

function parseNumber(
  text: string,
  { name }: ParameterContext,
): NonNullable<ReturnType<typeof parseComparedNumber>> {
  const number = parseComparedNumber(unescape(text));
  if (number === undefined) throw invalidParameter(name, `"${text}" is no number, ${orPrefixed()}.`);
  return number;
}

function parseQuantity(text: string, context: ParameterContext): SearchValue {
  const [number = '', system = '', code = '', ...more] = splitEscaped(text, '|').map(unescape);
  if (more.length > 0)
    throw invalidParameter(context.name, 'a quantity is number, number||code or number|system|code.');
  return { kind: 'quantity', ...parseNumber(number, context), system: system || null, code: code || null };
}

function parseReference(
  text: string,
  { parameter, referenceType }: ValueSyntax,
  context: ParameterContext,
): SearchValue {
  const types = referenceType === undefined ? targetsOf(parameter) : [referenceType];
  if (isResourceId(text)) return { kind: 'local', types, id: text };
  const reference = readReference(text);
  const target = reference.kind === 'relative' ? reference : context.toLocal(text);
  if (target && referenceType !== undefined && target.type !== referenceType) {
    throw invalidParameter(context.name, `"${text}" is no reference to a ${referenceType}.`);
  }
  if (target) return { kind: 'local', types: [target.type], id: target.id };
  if (text.includes(':')) return { kind: 'url', url: text };
  throw invalidParameter(context.name, `"${text}" is no reference: use Type/id, id, or an absolute URL.`);
}

/** The types that a reference parameter may lead to; empty means any. */
export function targetsOf(parameter: SearchParameter): readonly string[] {
  if (parameter.targetFilter !== null) return [parameter.targetFilter];
  const types = parameter.targets.filter(isResourceType);
  return types.length > MOST_TYPES ? [] : types;
}

function orPrefixed(): string {
  return `with or without a prefix (${PREFIXES.join(', ')})`;
}
