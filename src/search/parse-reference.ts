import { isResourceType } from '../fhir/definitions.js';
import type { SearchParameter } from '../fhir/index-values.js';
import { isResourceId, parseReference as readReference } from '../fhir/references.js';
import { FhirError } from '../model/errors.js';
import { hierarchyOf } from './hierarchy.js';
import { mayHold, type ValueSyntax } from './modifiers.js';
import { invalidParameter, type ParameterContext } from './parse-context.js';
import type { SearchValue, UriMatch } from './search-request.js';

/** A reference to more types than this may as well lead to any. */
const MOST_TYPES = 20;
/** `:above` asks for each of them. */
const MAX_SEGMENTS = 50;

/** A resource that a reference names. */
interface Target {
  /** Empty where any type is meant. */
  readonly types: readonly string[];
  readonly id: string;
  readonly version: string | undefined;
}

/** https://hl7.org/fhir/R4/search.html#reference, without escapes. @throws FhirError INVALID_SEARCH */
export function parseReference(text: string, syntax: ValueSyntax, context: ParameterContext): SearchValue {
  const target = parseTarget(text, syntax, context);
  if (target === null) return parseUrl(text, syntax, context);
  const { types, id, version } = target;
  if (syntax.uri !== 'exact') return parseHierarchy(target, syntax.uri, context);
  return version === undefined ? { kind: 'local', types, id } : { kind: 'local', types, id, version };
}

/** Null for what is no resource of this server. */
function parseTarget(
  text: string,
  { parameter, referenceType }: ValueSyntax,
  context: ParameterContext,
): Target | null {
  const types = referenceType === undefined ? targetsOf(parameter) : [referenceType];
  if (isResourceId(text)) return { types, id: text, version: undefined };
  const reference = readReference(text);
  const { version } = reference.kind === 'relative' || reference.kind === 'absolute' ? reference : {};
  const target = reference.kind === 'relative' ? reference : context.toLocal(text);
  if (!target) return null;
  if (referenceType !== undefined && target.type !== referenceType) {
    throw invalidParameter(context.name, `"${text}" is no reference to a ${referenceType}.`);
  }
  return { types: [target.type], id: target.id, version };
}

/** A resource elsewhere, or a canonical URL. */
function parseUrl(text: string, { parameter, uri }: ValueSyntax, context: ParameterContext): SearchValue {
  if (!text.includes(':'))
    throw invalidParameter(context.name, `"${text}" is no reference: use Type/id, id, or an absolute URL.`);
  if (uri !== 'exact' && !mayHold(parameter, 'canonical') && !mayHold(parameter, 'uri'))
    throw invalidParameter(context.name, `:${uri} takes a resource of this server: Type/id or id.`);
  return { kind: 'url', url: parseUri(text, uri, context), match: uri };
}

/** https://hl7.org/fhir/R4/search.html#recursive: types whose resources are parts of one another. */
function parseHierarchy(
  { types, id }: Target,
  direction: 'above' | 'below',
  { name, registry }: ParameterContext,
): SearchValue {
  const levels = types.flatMap((type) => hierarchyOf(registry, type) ?? []);
  if (levels.length > 0) return { kind: 'hierarchy', direction, levels, id };
  const what = types.length === 0 ? 'a type, such as Location/id' : `a type other than ${types.join(', ')}`;
  throw invalidParameter(name, `:${direction} needs ${what}, whose resources are parts of one another.`);
}

/** A URI as its modifier takes it. @throws FhirError INVALID_SEARCH, LIMIT_EXCEEDED */
export function parseUri(uri: string, match: UriMatch, { name }: ParameterContext): string {
  if (match === 'exact') return uri;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(uri))
    throw invalidParameter(
      name,
      `:${match} goes by the path of a URL, which "${uri.slice(0, 80)}" does not have.`,
    );
  if (uri.split('/').length <= MAX_SEGMENTS) return uri;
  throw new FhirError(
    'LIMIT_EXCEEDED',
    `Search parameter "${name}": a URL has at most ${MAX_SEGMENTS} segments.`,
  );
}

/** The types that a reference parameter may lead to; empty means any. */
export function targetsOf(parameter: SearchParameter): readonly string[] {
  if (parameter.targetFilter !== null) return [parameter.targetFilter];
  const types = parameter.targets.filter(isResourceType);
  return types.length > MOST_TYPES ? [] : types;
}
