import type { SearchParameter, SearchParameterType } from '../../fhir/index-values.js';
import { normalizeString } from '../../fhir/normalize.js';
import { UCUM_SYSTEM } from '../../fhir/ucum.js';
import { FhirError } from '../../model/errors.js';
import { splitEscaped } from '../escape.js';
import { toSyntax } from '../modifiers.js';
import { parseCodes } from '../parse-codes.js';
import { parseComposite } from '../parse-composite.js';
import { invalidParameter, type ParameterContext } from '../parse-context.js';
import { parseValue } from '../parse-value.js';
import type { Criterion, SearchValue, StringMatch } from '../search-request.js';
import type { FilterOperator, FilterTest } from './filter-node.js';

/** What a test asks of one search parameter. */
type Asked = Pick<FilterTest, 'operator' | 'value'>;

type ReadValue = (asked: Asked, parameter: SearchParameter, context: ParameterContext) => SearchValue;

/** What stands for a whole system, https://hl7.org/fhir/R4/search_filter.html#ops. */
const SYSTEMS: ReadonlyMap<string, string> = new Map([
  ['loinc', 'http://loinc.org'],
  ['snomed', 'http://snomed.info/sct'],
  ['rxnorm', 'http://www.nlm.nih.gov/research/umls/rxnorm'],
  ['ucum', UCUM_SYSTEM],
]);

/** Those that are prefixes of values too, with the same meaning. */
const COMPARED = everyWith(readCompared, 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb');

/** What each operator means, by type of parameter: https://hl7.org/fhir/R4/search_filter.html#ops. */
const READERS: Readonly<Record<SearchParameterType, Partial<Record<FilterOperator, ReadValue>>>> = {
  number: COMPARED,
  quantity: COMPARED,
  date: { ...COMPARED, ...everyWith(readPeriod, 'po', 'co') },
  string: everyWith(readString, 'eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le'),
  token: {
    eq: readToken,
    ne: readToken,
    ss: readConcept,
    sb: readConcept,
    in: readValueSet,
    ni: readValueSet,
  },
  uri: everyWith(readUri, 'eq', 'ne'),
  reference: { re: readPlain },
  composite: {
    eq: ({ value }, parameter, context) =>
      parseComposite(value, toSyntax(parameter, undefined, context), context),
  },
  special: {},
};

/** `_id` has no index: other than equal and unequal it has nothing. */
const ID_READERS: typeof READERS.token = everyWith(readPlain, 'eq', 'ne');

/** How values are written that are compared by their size. */
const FORMS: Partial<Record<SearchParameterType, string>> = {
  date: 'date (YYYY, YYYY-MM, YYYY-MM-DD or a dateTime)',
  quantity: 'quantity (number, number||code or number|system|code)',
};

const STRING_MATCH: Partial<Record<FilterOperator, StringMatch>> = {
  eq: 'eq',
  ne: 'ne',
  co: 'contains',
  sw: 'prefix',
  ew: 'suffix',
  gt: 'gt',
  lt: 'lt',
  ge: 'ge',
  le: 'le',
};

/**
 * One value of a parameter as a test asks for it.
 * @throws FhirError INVALID_SEARCH for values, and for operators that mean nothing for the parameter's type
 */
export function parseTestValue(
  asked: Asked,
  parameter: SearchParameter,
  context: ParameterContext,
): SearchValue {
  const { operator, value } = asked;
  const readers = parameter.code === '_id' ? ID_READERS : READERS[parameter.type];
  const read = readers[operator];
  if (read === undefined) {
    const known = [...Object.keys(readers), 'pr'].join(', ');
    const what = `"${parameter.code}" is of type ${parameter.type}`;
    throw invalidParameter(context.name, `"${operator}" means nothing here: ${what}, which takes ${known}.`);
  }
  if (value.trim() === '') throw invalidParameter(context.name, 'the value is empty.');
  context.spend(1);
  return read(asked, parameter, context);
}

/** What a test asks of a parameter; `pr` and `ni` are asked as if they were not denied, see `isDenied`. */
export function parseTest(asked: Asked, parameter: SearchParameter, context: ParameterContext): Criterion {
  if (asked.operator === 'pr') {
    if (asked.value !== 'true' && asked.value !== 'false')
      throw invalidParameter(context.name, '"pr" takes true or false.');
    context.spend(1);
    return { kind: 'missing', parameter, missing: false };
  }
  const values = [parseTestValue(asked, parameter, context)];
  return { kind: 'values', parameter, values, negated: parameter.code === '_id' && asked.operator === 'ne' };
}

/** Whether the test says that nothing on the whole path is so. */
export function isDenied({ operator, value }: Asked): boolean {
  return operator === 'ni' || (operator === 'pr' && value === 'false');
}

function everyWith(
  read: ReadValue,
  ...operators: readonly FilterOperator[]
): Partial<Record<FilterOperator, ReadValue>> {
  return Object.fromEntries(operators.map((operator) => [operator, read]));
}

function readPlain({ value }: Asked, parameter: SearchParameter, context: ParameterContext): SearchValue {
  return parseValue(value, toSyntax(parameter, undefined, context), context);
}

function readCompared(
  { operator, value }: Asked,
  parameter: SearchParameter,
  context: ParameterContext,
): SearchValue {
  return readPrefixed(operator, value, { parameter, context });
}

/** `po` of two ranges is what `ap` compares, without its margin. */
function readPeriod(
  { operator, value }: Asked,
  parameter: SearchParameter,
  context: ParameterContext,
): SearchValue {
  const period = readPrefixed('eq', value, { parameter, context });
  if (period.kind !== 'date') return period;
  return { ...period, comparison: operator === 'po' ? 'ap' : 'co' };
}

/** A value without a prefix of its own. */
function readPrefixed(
  prefix: string,
  value: string,
  { parameter, context }: { readonly parameter: SearchParameter; readonly context: ParameterContext },
): SearchValue {
  const text = `${prefix}${parameter.type === 'quantity' ? withWholeSystem(value, 1) : value}`;
  try {
    return parseValue(text, toSyntax(parameter, undefined, context), context);
  } catch (error) {
    if (!(error instanceof FhirError) || error.code !== 'INVALID_SEARCH') throw error;
    throw invalidParameter(context.name, `"${value}" is no ${FORMS[parameter.type] ?? parameter.type}.`);
  }
}

function readString({ operator, value }: Asked, _: SearchParameter, { name }: ParameterContext): SearchValue {
  if (normalizeString(value) === '')
    throw invalidParameter(name, 'nothing of the text is left to compare with.');
  return { kind: 'string', match: STRING_MATCH[operator] ?? 'eq', text: value };
}

function readToken(
  { operator, value }: Asked,
  parameter: SearchParameter,
  context: ParameterContext,
): SearchValue {
  const text = withWholeSystem(value, 0);
  const token = readPlain({ operator, value: text }, parameter, context);
  return token.kind === 'token' && operator === 'ne' ? { ...token, unequal: true } : token;
}

/** `ss`: the value subsumes what is found, which is below it then; `sb` the other way round. */
function readConcept(asked: Asked, parameter: SearchParameter, context: ParameterContext): SearchValue {
  const token = readPlain({ ...asked, value: withWholeSystem(asked.value, 0) }, parameter, context);
  if (token.kind !== 'token' || !token.system || token.code === undefined)
    throw invalidParameter(
      context.name,
      `"${asked.operator}" takes system|code: the system says what subsumes it.`,
    );
  const { system, code } = token;
  const direction = asked.operator === 'ss' ? 'below' : 'above';
  return { kind: 'related', name: context.name, direction, system, code };
}

function readValueSet({ value }: Asked, _: SearchParameter, context: ParameterContext): SearchValue {
  return parseCodes(value, 'value-set', context);
}

function readUri({ operator, value }: Asked): SearchValue {
  return { kind: 'uri', uri: value, match: operator === 'ne' ? 'unequal' : 'exact' };
}

/** The value with the whole URL of a system that it names by its short name. */
function withWholeSystem(value: string, place: number): string {
  const parts = splitEscaped(value, '|');
  const system = parts.length > place + 1 ? SYSTEMS.get(parts[place]?.toLowerCase() ?? '') : undefined;
  return system === undefined ? value : parts.with(place, system).join('|');
}
