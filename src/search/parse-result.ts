import { isResourceType } from '../fhir/definitions.js';
import { elementNames } from '../fhir/element-names.js';
import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';
import { findParameter, isFullText } from './parse-criterion.js';
import { invalidParameter, unknownParameter, unknownType, type ParameterContext } from './parse-context.js';
import type { ContainedSearch, Include, SearchRequest, SortBy, SummaryMode } from './search-request.js';

/** The parts of a request that are about its result, while they are collected. */
export interface ResultParts {
  includes: readonly Include[];
  sort: readonly SortBy[];
  count: number | undefined;
  total: SearchRequest['total'];
  summary: SummaryMode | undefined;
  elements: readonly string[];
  contained: 'true' | 'false' | 'both' | undefined;
  containedType: ContainedSearch['as'] | undefined;
}

/** One parameter about the result, and the type that is searched. */
interface ResultParameter {
  readonly type: string;
  readonly modifier: string | undefined;
  readonly value: string;
}

type Reader = (parts: ResultParts, parameter: ResultParameter, context: ParameterContext) => void;

/** Each key is a join, and databases join a limited number of tables. */
const MAX_SORT_KEYS = 10;
const TOTALS = ['none', 'estimate', 'accurate'] as const;
const SUMMARIES = ['true', 'text', 'data', 'count', 'false'] as const;
const CONTAINED = ['true', 'false', 'both'] as const;
const CONTAINED_TYPES = ['container', 'contained'] as const;

/** https://hl7.org/fhir/R4/search.html#return, by name. */
const READERS: Readonly<Record<string, Reader>> = {
  _include: (parts, parameter, context) => addInclude(parts, 'include', parameter, context),
  _revinclude: (parts, parameter, context) => addInclude(parts, 'revinclude', parameter, context),
  _sort: (parts, { type, value }, context) => {
    const keys = value.split(',');
    if (keys.length > MAX_SORT_KEYS) {
      throw new FhirError('LIMIT_EXCEEDED', `A search is sorted by at most ${MAX_SORT_KEYS} keys.`);
    }
    parts.sort = keys.map((key) => parseSort(type, key, context));
  },
  _count: (parts, { value }, context) => {
    if (!/^\d{1,9}$/.test(value)) throw invalidParameter(context.name, 'the count is a whole number from 0.');
    parts.count = Number(value);
  },
  _total: (parts, { value }, context) => {
    parts.total = oneOf(TOTALS, value, context);
  },
  _summary: (parts, { value }, context) => {
    parts.summary = oneOf(SUMMARIES, value, context);
  },
  // https://hl7.org/fhir/R4/search.html#contained
  _contained: (parts, { value }, context) => {
    parts.contained = oneOf(CONTAINED, value, context);
  },
  _containedType: (parts, { value }, context) => {
    parts.containedType = oneOf(CONTAINED_TYPES, value, context);
  },
  _elements: (parts, { value }, context) => {
    const elements = elementNames(value);
    if (elements === undefined)
      throw invalidParameter(context.name, 'list the names of elements, separated by commas.');
    parts.elements = [...parts.elements, ...elements];
  },
};

/** Names of the parameters that are about the result, those included that are refused. */
export const RESULT_PARAMETERS: readonly string[] = Object.keys(READERS);

/** Whether the name, without its modifier, is about the result and not about what matches. */
export function isResultParameter(code: string): boolean {
  return Object.hasOwn(READERS, code);
}

/** What is given once: a second value would stand for nothing, or for something else. */
const SINGLE = new Set(['_sort', '_count', '_total', '_summary', '_contained', '_containedType']);

/** @throws FhirError INVALID_SEARCH for a parameter that may be given once and is given again */
export function assertGivenOnce(parameters: readonly QueryParameter[]): void {
  const names = parameters.map(([name]) => name).filter((name) => SINGLE.has(name));
  const again = names.find((name, at) => names.indexOf(name) !== at);
  if (again !== undefined) throw invalidParameter(again, 'give it once.');
}

/** Reads one parameter into the parts. @throws FhirError UNKNOWN_SEARCH_PARAMETER, INVALID_SEARCH */
export function readResultParameter(
  parts: ResultParts,
  type: string,
  value: string,
  context: ParameterContext,
): void {
  const [code = '', modifier] = context.name.split(':');
  const takesModifier = code === '_include' || code === '_revinclude';
  if (modifier !== undefined && !takesModifier) throw unknownParameter(context.name, 'it takes no modifier.');
  READERS[code]?.(parts, { type, modifier, value }, context);
}

function parseSort(type: string, key: string, context: ParameterContext): SortBy {
  const descending = key.startsWith('-');
  const parameter = findParameter(type, descending ? key.slice(1) : key, context);
  if (isFullText(parameter))
    throw unknownParameter(
      context.name,
      `nothing is sorted by "${key}"; what fits it best comes first where there is no _sort.`,
    );
  if (parameter.type === 'special' || parameter.type === 'composite')
    throw unknownParameter(context.name, `nothing is sorted by "${key}".`);
  return { parameter, direction: descending ? 'descending' : 'ascending' };
}

/** `Type:parameter[:target]`, `Type:*` and, for `_include`, `*`. */
function addInclude(
  parts: ResultParts,
  direction: Include['direction'],
  { type, modifier, value }: ResultParameter,
  context: ParameterContext,
): void {
  if (modifier !== undefined && modifier !== 'iterate' && modifier !== 'recurse') {
    throw unknownParameter(context.name, `modifier ":${modifier}" is not supported; use :iterate.`);
  }
  const whole = value === '*' && direction === 'include' ? `${type}:*` : value;
  const [sourceType = '', code = '', targetType = null, ...more] = whole.split(':');
  if (code === '' || more.length > 0) {
    throw invalidParameter(
      context.name,
      `"${value}" is not Type:parameter, Type:parameter:Target or Type:*.`,
    );
  }
  const stranger = [sourceType, targetType ?? sourceType].find((named) => !isResourceType(named));
  if (stranger !== undefined) throw invalidParameter(context.name, unknownType(stranger));
  const parameter = code === '*' ? null : findParameter(sourceType, code, context);
  if (parameter !== null && parameter.type !== 'reference') {
    throw invalidParameter(context.name, `"${code}" of ${sourceType} is no reference.`);
  }
  const iterate = modifier !== undefined;
  parts.includes = [...parts.includes, { direction, iterate, sourceType, parameter, targetType }];
}

function oneOf<Word extends string>(words: readonly Word[], value: string, { name }: ParameterContext): Word {
  const word = words.find((one) => one === value);
  if (word === undefined) throw invalidParameter(name, `use one of ${words.join(', ')}.`);
  return word;
}
