import { isResourceType } from '../fhir/definitions.js';
import { derivedPaths, typedIdentifierPath, type DerivedPaths } from '../fhir/extract/derived-paths.js';
import type { SearchParameter, SearchParameterType } from '../fhir/index-values.js';
import { unknownParameter, type ParameterContext } from './parse-context.js';
import type { StringMatch, UriMatch } from './search-request.js';

/** The parameter whose value is read, and what its modifier says. */
export interface ValueSyntax {
  /** The parameter itself, or one over derived rows. */
  readonly parameter: SearchParameter;
  readonly string: StringMatch;
  /** Of URIs, of canonical URLs, and of hierarchies of resources. */
  readonly uri: UriMatch;
  /** `:[type]` of a reference. */
  readonly referenceType: string | undefined;
  /** `of-type`: a token is `system|code|value`. The others: its codes are looked up, see parseCodes. */
  readonly token: 'plain' | 'of-type' | 'value-set' | 'above' | 'below';
}

type Modifier = (syntax: ValueSyntax) => ValueSyntax;

const UNCHANGED: Modifier = (syntax) => syntax;

/** What each modifier changes, by type of parameter: https://hl7.org/fhir/R4/search.html#modifiers. */
const MODIFIERS: Readonly<Record<SearchParameterType, Readonly<Record<string, Modifier>>>> = {
  string: {
    exact: (syntax) => ({ ...syntax, string: 'exact' }),
    contains: (syntax) => ({ ...syntax, string: 'contains' }),
    text: (syntax) => ({ ...syntax, string: 'words' }),
    missing: UNCHANGED,
  },
  token: {
    not: UNCHANGED,
    text: (syntax) => over(syntax, 'string', 'text'),
    'of-type': (syntax) => ({ ...over(syntax, 'token', 'ofType'), token: 'of-type' }),
    in: (syntax) => ({ ...syntax, token: 'value-set' }),
    'not-in': (syntax) => ({ ...syntax, token: 'value-set' }),
    above: (syntax) => ({ ...syntax, token: 'above' }),
    below: (syntax) => ({ ...syntax, token: 'below' }),
    missing: UNCHANGED,
  },
  reference: {
    identifier: overIdentifier,
    above: (syntax) => ({ ...syntax, uri: 'above' }),
    below: (syntax) => ({ ...syntax, uri: 'below' }),
    missing: UNCHANGED,
  },
  uri: {
    above: (syntax) => ({ ...syntax, uri: 'above' }),
    below: (syntax) => ({ ...syntax, uri: 'below' }),
    missing: UNCHANGED,
  },
  date: { missing: UNCHANGED },
  number: { missing: UNCHANGED },
  quantity: { missing: UNCHANGED },
  special: { missing: UNCHANGED },
  composite: { missing: UNCHANGED },
};

/** The types whose values a modifier looks at; any where it is not listed. */
const NEEDED_TYPES: Readonly<Record<string, readonly string[]>> = {
  'token text': ['Coding', 'CodeableConcept', 'Identifier'],
  'token of-type': ['Identifier'],
  'reference identifier': ['Reference'],
};

/** Whether values of the FHIR type may stand on the parameter's paths. */
export function mayHold({ valueTypes }: SearchParameter, type: string): boolean {
  return valueTypes.length === 0 || valueTypes.includes(type);
}

/** How values of a parameter are read below a modifier. @throws FhirError UNKNOWN_SEARCH_PARAMETER, with what is known */
export function toSyntax(
  parameter: SearchParameter,
  modifier: string | undefined,
  context: ParameterContext,
): ValueSyntax {
  const syntax: ValueSyntax = {
    parameter,
    string: 'prefix',
    uri: 'exact',
    referenceType: undefined,
    token: 'plain',
  };
  if (modifier === undefined) return syntax;
  if (parameter.type === 'reference' && isResourceType(modifier))
    return { ...syntax, referenceType: modifier };
  const known = modifiersOf(parameter);
  const change = known.includes(modifier) ? MODIFIERS[parameter.type][modifier] : undefined;
  if (change !== undefined) return change(syntax);
  const list = known.length > 0 ? `use ${known.map((one) => `:${one}`).join(', ')}` : 'none is supported';
  const orType = parameter.type === 'reference' ? ' or :[type]' : '';
  throw unknownParameter(context.name, `modifier ":${modifier}" is not supported here; ${list}${orType}.`);
}

/** The modifiers that mean something on the parameter. */
function modifiersOf(parameter: SearchParameter): readonly string[] {
  const names = Object.keys(MODIFIERS[parameter.type]);
  if (parameter.code === '_id') return ['not', 'missing'];
  return names.filter((name) => {
    const needed = NEEDED_TYPES[`${parameter.type} ${name}`];
    return needed === undefined || needed.some((type) => mayHold(parameter, type));
  });
}

/** Where only one type counts, a Reference counts that leads there, or does not tell where it leads. */
function overIdentifier(syntax: ValueSyntax): ValueSyntax {
  const { paths, targetFilter } = syntax.parameter;
  const derived = over(syntax, 'token', 'identifier');
  if (targetFilter === null) return derived;
  const typed = paths.flatMap((path) =>
    [targetFilter, undefined].map((type) => typedIdentifierPath(path, type)),
  );
  return { ...derived, parameter: { ...derived.parameter, paths: typed } };
}

/** The same syntax over derived rows, which are answered as a parameter of their own. */
function over(syntax: ValueSyntax, type: SearchParameterType, derived: keyof DerivedPaths): ValueSyntax {
  const { lifted: _, ...parameter } = syntax.parameter;
  const paths = parameter.paths.map((path) => derivedPaths(path)[derived]);
  return { ...syntax, parameter: { ...parameter, type, paths, targetFilter: null } };
}
