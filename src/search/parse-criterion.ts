import { isResourceType } from '../fhir/definitions.js';
import { FULL_TEXT_PATH } from '../fhir/full-text.js';
import type { SearchParameter } from '../fhir/index-values.js';
import { isResourceId } from '../fhir/references.js';
import { splitEscaped, unescape } from './escape.js';
import { isCanonical } from './canonical-chain.js';
import { toSyntax } from './modifiers.js';
import { followed, parseChain } from './parse-chain.js';
import { parseComposite } from './parse-composite.js';
import {
  invalidParameter,
  isTakenBack,
  type ParameterContext,
  unknownParameter,
  unknownType,
} from './parse-context.js';
import { parseText } from './parse-text.js';
import { parseValue } from './parse-value.js';
import type { Criterion } from './search-request.js';

const HAS = '_has:';
const LIST = '_list';

/** One parameter of a request that is looked at. */
interface NamedValue {
  /** What remains of the name: `subject:Patient.name:exact`, `name:exact`, `_has:…`. */
  readonly name: string;
  readonly value: string;
}

/**
 * A search parameter of a type with its value.
 * @throws FhirError UNKNOWN_SEARCH_PARAMETER for names and modifiers, INVALID_SEARCH for values
 */
export function parseCriterion(type: string, named: NamedValue, context: ParameterContext): Criterion {
  if (named.name.startsWith(HAS)) return parseHas(named, context);
  if (named.name === LIST) return parseList(named, context);
  if (named.name.startsWith(`${LIST}:`)) throw unknownParameter(context.name, 'it takes no modifier.');
  if (named.name === '_query') {
    throw invalidParameter(context.name, 'this server has no named queries; use search parameters.');
  }
  const dot = named.name.indexOf('.');
  if (dot >= 0) return parseNamedChain(type, named, dot, context);
  const [code = '', modifier, ...more] = named.name.split(':');
  if (more.length > 0) throw unknownParameter(context.name, 'more than one modifier.');
  return parsePlain(findParameter(type, code, context), modifier, named.value, context);
}

/** A parameter of the type that can be searched by. @throws FhirError UNKNOWN_SEARCH_PARAMETER */
export function findParameter(type: string, code: string, context: ParameterContext): SearchParameter {
  const parameter = context.registry.find(type, code);
  if (parameter === undefined) {
    const known = context.registry
      .list(type)
      .filter(isSearchable)
      .map((one) => one.code);
    const message = `${type} has no search parameter "${code}"; it has ${known.join(', ')}.`;
    throw isTakenBack(type, code, context)
      ? invalidParameter(context.name, message)
      : unknownParameter(context.name, message);
  }
  if (!isSearchable(parameter)) {
    if (code === '_text' || code === '_content')
      throw unknownParameter(
        context.name,
        'full text search is off on this server; the setting fullText turns it on.',
      );
    throw unknownParameter(context.name, `"${code}" (${parameter.type}) is not supported by this server.`);
  }
  if (context.mayBeContained) context.registry.missesContained?.(type, parameter);
  return parameter;
}

/** `_id` and `_lastUpdated` are answered by the resource itself, everything else by its index. */
export function isSearchable({ code, paths, roots = [] }: SearchParameter): boolean {
  if (code === '_id' || code === '_lastUpdated') return true;
  return paths.length > 0 || roots.length > 0;
}

function parsePlain(
  parameter: SearchParameter,
  modifier: string | undefined,
  value: string,
  context: ParameterContext,
): Criterion {
  if (isFullText(parameter)) return parseFullText(parameter, modifier, value, context);
  const syntax = toSyntax(parameter, modifier, context);
  if (modifier === 'missing') {
    context.spend(1);
    return { kind: 'missing', parameter, missing: parseMissing(value, context) };
  }
  const texts = splitEscaped(value, ',');
  const [root] = parameter.roots ?? [];
  context.spend(texts.length * (root?.components.length ?? 1));
  const parse = parameter.type === 'composite' ? parseComposite : parseValue;
  const values = texts.map((one) => parse(one, syntax, context));
  return {
    kind: 'values',
    parameter: syntax.parameter,
    values,
    negated: modifier === 'not' || modifier === 'not-in',
  };
}

/** `_text` and `_content`, where there is full text search. */
export function isFullText({ paths }: SearchParameter): boolean {
  return paths[0] === FULL_TEXT_PATH;
}

function parseFullText(
  parameter: SearchParameter,
  modifier: string | undefined,
  value: string,
  context: ParameterContext,
): Criterion {
  if (modifier !== undefined) throw unknownParameter(context.name, 'it takes no modifier.');
  const texts = splitEscaped(value, ',').map(unescape);
  context.spend(texts.length);
  const values = texts.map((text) => ({ kind: 'text' as const, query: parseText(text, context) }));
  return { kind: 'values', parameter, values, negated: false };
}

function parseMissing(value: string, { name }: ParameterContext): boolean {
  if (value !== 'true' && value !== 'false') throw invalidParameter(name, ':missing takes true or false.');
  return value === 'true';
}

/** `subject:Patient.name=x` and `subject.name=x`, https://hl7.org/fhir/R4/search.html#chaining. */
function parseNamedChain(type: string, named: NamedValue, dot: number, context: ParameterContext): Criterion {
  const [code = '', targetType, ...more] = named.name.slice(0, dot).split(':');
  const parameter = findParameter(type, code, context);
  if (more.length > 0)
    throw unknownParameter(context.name, 'a chain takes one resource type as its modifier.');
  const rest = { name: named.name.slice(dot + 1), value: named.value };
  return parseChain({ parameter, targetType }, context, (target, further) =>
    parseCriterion(target, rest, further),
  );
}

/** `_has:Observation:patient:code=x`, https://hl7.org/fhir/R4/search.html#has. */
function parseHas(named: NamedValue, context: ParameterContext): Criterion {
  const [type = '', code = '', ...rest] = named.name.slice(HAS.length).split(':');
  if (rest.length === 0) throw unknownParameter(context.name, 'write _has:Type:reference:parameter.');
  if (!isResourceType(type)) throw unknownParameter(context.name, unknownType(type));
  const parameter = findParameter(type, code, context);
  if (parameter.type !== 'reference')
    throw unknownParameter(context.name, `"${code}" of ${type} is no reference.`);
  if (isCanonical(parameter))
    throw unknownParameter(
      context.name,
      `"${code}" of ${type} holds canonical URLs, which are not followed back.`,
    );
  const criterion = parseCriterion(type, { name: rest.join(':'), value: named.value }, followed(context));
  return { kind: 'has', type, parameter, criterion };
}

/** `_list=42`: what the items of a List refer to, https://hl7.org/fhir/R4/search.html#list. */
function parseList({ value }: NamedValue, context: ParameterContext): Criterion {
  const ids = splitEscaped(value, ',').map((text) => unescape(text).replace(/^List\//, ''));
  const functional = ids.find((id) => id.startsWith('$'));
  if (functional !== undefined) {
    throw invalidParameter(
      context.name,
      `functional lists such as "${functional}" are not kept here; name a List.`,
    );
  }
  if (!ids.every(isResourceId)) throw invalidParameter(context.name, 'name Lists by their ids.');
  const criterion = parseCriterion('List', { name: '_id', value: ids.join(',') }, context);
  return { kind: 'has', type: 'List', parameter: findParameter('List', 'item', context), criterion };
}
