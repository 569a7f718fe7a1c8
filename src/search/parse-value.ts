import { dateRange } from '../fhir/date-range.js';
import { splitEscaped, unescape } from './escape.js';
import { parseCodes } from './parse-codes.js';
import type { ValueSyntax } from './modifiers.js';
import { invalidParameter, type ParameterContext } from './parse-context.js';
import { parseNear } from './parse-near.js';
import { parseComparedNumber, PREFIXES, splitPrefix } from './parse-number.js';
import { parseReference, parseUri } from './parse-reference.js';
import type { SearchValue } from './search-request.js';

/** `ap` widens a date by a tenth of its distance from now. */
const APPROXIMATION = 0.1;

/** One alternative of a value, still escaped. @throws FhirError INVALID_SEARCH */
export function parseValue(text: string, syntax: ValueSyntax, context: ParameterContext): SearchValue {
  if (text === '') throw invalidParameter(context.name, 'the value is empty.');
  if (syntax.parameter.code === '_id') return { kind: 'id', id: unescape(text) };
  switch (syntax.parameter.type) {
    case 'token':
      return parseTokenOf(syntax.token, text, context);
    case 'string':
      return { kind: 'string', match: syntax.string, text: unescape(text) };
    case 'date':
      return parseDate(text, context);
    case 'number':
      return { kind: 'number', ...parseNumber(text, context) };
    case 'quantity':
      return parseQuantity(text, context);
    case 'uri':
      return { kind: 'uri', uri: parseUri(unescape(text), syntax.uri, context), match: syntax.uri };
    case 'reference':
      return parseReference(unescape(text), syntax, context);
    case 'special':
      return parseNear(text, context);
    case 'composite':
      throw invalidParameter(
        context.name,
        `parameters of type ${syntax.parameter.type} have no values here.`,
      );
  }
}

function parseTokenOf(form: ValueSyntax['token'], text: string, context: ParameterContext): SearchValue {
  switch (form) {
    case 'plain':
      return parseToken(text, context);
    case 'of-type':
      return parseOfType(text, context);
    default:
      return parseCodes(text, form, context);
  }
}

/** https://hl7.org/fhir/R4/search.html#token: `system|code|value`, the row's value is `code|value`. */
function parseOfType(text: string, { name }: ParameterContext): SearchValue {
  const parts = splitEscaped(text, '|').map(unescape);
  const [system = '', code = '', value = ''] = parts;
  if (parts.length !== 3 || parts.includes(''))
    throw invalidParameter(
      name,
      ':of-type takes system|code|value: the type of the identifier, and its value.',
    );
  return { kind: 'token', system, code: `${code}|${value}` };
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
    const escape = text.includes(' ') ? ' In a URL a plus is written %2B.' : '';
    throw invalidParameter(
      name,
      `"${text}" is no date (YYYY, YYYY-MM, YYYY-MM-DD or a dateTime), ${orPrefixed()}.${escape}`,
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

function orPrefixed(): string {
  return `with or without a prefix (${PREFIXES.join(', ')})`;
}
