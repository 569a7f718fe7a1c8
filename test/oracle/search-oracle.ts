import type { FhirResource } from 'fhir/r4.js';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import { evaluateOn, evaluateWithin, type FoundValue } from './fhir-expression.js';
import * as match from './matching.js';
import { passes } from './filter-oracle.js';
import type { Filter } from './filters.js';
import { componentsOf, parameterOf, parametersOf } from './parameters.js';
import * as values from './parameter-values.js';
import { splitUnescaped, unescapeValue } from './query-text.js';
import { identifiedBy, isToken, seenOf } from './seen-values.js';

/** One parameter of a query: its name with chain and modifier, its value as it was written, and what a filter means. */
export type QueryPart = readonly [name: string, value: string, filter?: Filter];

/** Parameters that make a hierarchy of a type's resources. */
const PART_CODES = ['partof', 'part-of'];

/** A parameter on one type, and what its modifier says. */
interface Asked {
  readonly definition: SearchParameterDefinition;
  readonly modifier: string | undefined;
}

/**
 * Answers searches by looking at every resource, judged by the words of https://hl7.org/fhir/R4/search.html.
 * It shares nothing with the server but the definitions of R4.
 */
export class SearchOracle {
  readonly #resources: ReadonlyMap<string, FhirResource>;
  readonly #base: string;
  readonly #found = new WeakMap<FhirResource, Map<string, readonly FoundValue[]>>();

  /** All resources that the searcher may see, and the base URL that it uses. */
  constructor(resources: readonly FhirResource[], base: string) {
    this.#resources = new Map(resources.map((resource) => [nameOf(resource), resource]));
    this.#base = base;
  }

  /** The names (`Type/id`) of all resources of a type that match, in alphabetical order. */
  search(type: string, query: readonly QueryPart[]): string[] {
    const found = this.resourcesOf(type).filter((resource) =>
      query.every(([name, value, filter]) =>
        filter === undefined ? this.holds(resource, name, value) : passes(this, resource, filter),
      ),
    );
    return found.map(nameOf).toSorted();
  }

  /**
   * The names of what `_include` and `_revinclude` add to the matches, in alphabetical order: those with `:iterate`
   * begin again from what was added (https://hl7.org/fhir/R4/search.html#revinclude).
   */
  includes(type: string, query: readonly QueryPart[]): string[] {
    const includes = query.filter(([name]) => /^_(rev)?include/.test(name));
    const matches = this.search(
      type,
      query.filter((part) => !includes.includes(part)),
    );
    const seen = new Set(matches);
    for (let from = matches, round = 0; from.length > 0; round++) {
      const asked = round === 0 ? includes : includes.filter(([name]) => name.endsWith(':iterate'));
      const added = asked.flatMap((include) => from.flatMap((name) => this.#included(name, include)));
      from = [...new Set(added)].filter((name) => !seen.has(name));
      for (const name of from) seen.add(name);
    }
    return [...seen].filter((name) => !matches.includes(name)).toSorted();
  }

  #included(name: string, [include, value]: QueryPart): string[] {
    const [source = '', code = '', target] = value.split(':');
    const definitions = [...parametersOf(source).values()].filter(
      (one) => one.type === 'reference' && (code === '*' || one.code === code),
    );
    const leads = (from: string): string[] => {
      const resource = this.#resources.get(from);
      if (resource?.resourceType !== source) return [];
      return definitions.flatMap((definition) => this.chainedTo(resource, definition, target));
    };
    if (include.startsWith('_include')) return leads(name);
    return this.resourcesOf(source)
      .map(nameOf)
      .filter((from) => leads(from).includes(name));
  }

  resourcesOf(type: string): FhirResource[] {
    return [...this.#resources.values()].filter(({ resourceType }) => resourceType === type);
  }

  /** What a parameter finds in a resource. */
  valuesOf(resource: FhirResource, { url, expression }: SearchParameterDefinition): readonly FoundValue[] {
    const known = this.#found.get(resource) ?? new Map<string, readonly FoundValue[]>();
    this.#found.set(resource, known);
    const made = known.get(url) ?? evaluateOn(resource, expression);
    known.set(url, made);
    return made;
  }

  /** The names of the resources at the other end of a reference parameter, those of one type if it is given. */
  targetsOf(resource: FhirResource, definition: SearchParameterDefinition, type?: string): string[] {
    const references = this.valuesOf(resource, definition).flatMap(values.referencesOf);
    const names = references.map(({ target }) => match.relative(target, this.#base));
    return names.filter(
      (name) => this.#resources.has(name) && (type === undefined || name.startsWith(`${type}/`)),
    );
  }

  /** The same with those that canonical URLs name; without version, every version. */
  chainedTo(resource: FhirResource, definition: SearchParameterDefinition, type?: string): string[] {
    const urls = this.valuesOf(resource, definition).flatMap(({ value }) =>
      typeof value === 'string' ? [value] : [],
    );
    const named = [...this.#resources.values()].filter(
      (target) =>
        'url' in target &&
        (urls.includes(String(target.url)) ||
          ('version' in target && urls.includes(`${target.url}|${target.version}`))),
    );
    const ofType = named.filter(({ resourceType }) => type === undefined || resourceType === type);
    return [...this.targetsOf(resource, definition, type), ...ofType.map(nameOf)];
  }

  /** Whether one parameter holds. */
  holds(resource: FhirResource, name: string, value: string): boolean {
    if (name === '_list') return this.#has(resource, '_has:List:item:_id', value);
    if (name.startsWith('_has:')) return this.#has(resource, name, value);
    const dot = name.indexOf('.');
    if (dot >= 0) return this.#chain(resource, [name.slice(0, dot), name.slice(dot + 1)], value);
    const [code = '', modifier] = name.split(':');
    const definition = parameterOf(resource.resourceType, code);
    if (modifier === 'missing') return this.#isMissing(resource, definition) === (value === 'true');
    const alternatives = splitUnescaped(value, ',');
    const some = alternatives.some((one) => this.#isMatch(resource, { definition, modifier }, one));
    return modifier === 'not' || modifier === 'not-in' ? !some : some;
  }

  /** What a reference leads to, of one type. */
  follow(resource: FhirResource, code: string, type: string): readonly FhirResource[] {
    const definition = parameterOf(resource.resourceType, code);
    return this.chainedTo(resource, definition, type).flatMap((name) => this.#resources.get(name) ?? []);
  }

  /** `_has:Observation:patient:code`, https://hl7.org/fhir/R4/search.html#has. */
  #has(resource: FhirResource, name: string, value: string): boolean {
    const [, type = '', code = '', ...rest] = name.split(':');
    const definition = parameterOf(type, code);
    return this.resourcesOf(type).some(
      (other) =>
        this.targetsOf(other, definition).includes(nameOf(resource)) &&
        this.holds(other, rest.join(':'), value),
    );
  }

  /** `subject:Patient.name`, https://hl7.org/fhir/R4/search.html#chaining; types without the parameter do not count. */
  #chain(resource: FhirResource, [head, rest]: readonly [string, string], value: string): boolean {
    const [code = '', type] = head.split(':');
    const targets = this.chainedTo(resource, parameterOf(resource.resourceType, code), type);
    return targets.some((name) => {
      const target = this.#resources.get(name);
      return target !== undefined && knows(target.resourceType, rest) && this.holds(target, rest, value);
    });
  }

  #isMissing(resource: FhirResource, definition: SearchParameterDefinition): boolean {
    const found = this.valuesOf(resource, definition);
    if (definition.type !== 'composite') return found.flatMap((one) => seenOf(definition, one)).length === 0;
    return !found.some((element) =>
      componentsOf(definition).every((component) =>
        evaluateWithin(resource, element, component.expression).some(
          (one) => seenOf(component.definition, one).length > 0,
        ),
      ),
    );
  }

  #isMatch(resource: FhirResource, asked: Asked, text: string): boolean {
    if (asked.definition.type === 'composite') return this.#isComposite(resource, asked.definition, text);
    const { definition, modifier } = asked;
    const found =
      modifier === 'identifier' ? identifiedBy(resource, definition) : this.valuesOf(resource, definition);
    return found.some((one) => this.#isValue(one, asked, text));
  }

  /** All components within one element (https://hl7.org/fhir/R4/search.html#combining). */
  #isComposite(resource: FhirResource, definition: SearchParameterDefinition, text: string): boolean {
    const parts = splitUnescaped(text, '$');
    return this.valuesOf(resource, definition).some((element) =>
      componentsOf(definition).every((component, at) => {
        const asked = { definition: component.definition, modifier: undefined };
        const found = evaluateWithin(resource, element, component.expression);
        return found.some((one) => this.#isValue(one, asked, parts[at] ?? ''));
      }),
    );
  }

  #isValue(found: FoundValue, { definition, modifier }: Asked, text: string): boolean {
    if (definition.code === '_id') return found.value === unescapeValue(text);
    switch (definition.type) {
      case 'string':
        return values.stringsOf(found).some((one) => match.isString(one, text, modifier));
      case 'token':
        return values.tokensOf(found).some((one) => isToken(one, text, { type: found.type, modifier }));
      case 'uri':
        return values.urisOf(found).some((one) => match.isUri(one, text, modifier));
      case 'date':
        return values.spansOf(found).some((one) => match.isDate(one, text, Date.now()));
      case 'number':
        return values.numbersOf(found).some((one) => match.isNumber(one, text));
      case 'quantity':
        return values.amountsOf(found).some((one) => match.isQuantity(one, text));
      case 'reference':
        return values
          .referencesOf(found)
          .some((one) => this.#isReference(one, { definition, modifier }, text));
      case 'special':
        return values.positionsOf(found).some((one) => match.isNear(one, text));
      case 'composite':
        throw new Error(`${definition.code} is matched by its components.`);
    }
  }

  #isReference(value: values.ReferenceValue, { definition, modifier }: Asked, text: string): boolean {
    if (modifier === 'identifier') {
      const { identifier } = value;
      const token = { value: identifier, type: 'Identifier', element: '', path: '' };
      return identifier !== undefined && values.tokensOf(token).some((one) => match.isToken(one, text));
    }
    const isRelated = modifier === 'above' || modifier === 'below';
    if (isRelated) return this.#related(text, modifier).includes(match.relative(value.target, this.#base));
    const types = modifier === undefined ? (definition.target ?? []) : [modifier];
    return match.isReference(value, text, { base: this.#base, types });
  }

  /** The resource itself and those it is a part of, or that are parts of it, over any number of steps. */
  #related(name: string, direction: 'above' | 'below'): readonly string[] {
    const type = name.slice(0, name.indexOf('/'));
    const part = [...parametersOf(type).values()].find(
      ({ code, target }) => PART_CODES.includes(code) && target?.includes(type),
    );
    const found = this.#resources.has(name) ? [name] : [];
    if (part === undefined) return found;
    for (const one of found) {
      const resource = this.#resources.get(one);
      const next =
        direction === 'above'
          ? this.targetsOf(resource as FhirResource, part, type)
          : this.resourcesOf(type)
              .filter((other) => this.targetsOf(other, part).includes(one))
              .map(nameOf);
      found.push(...next.filter((other) => !found.includes(other)));
    }
    return found;
  }
}

/** `Patient/1` */
export function nameOf({ resourceType, id }: FhirResource): string {
  return `${resourceType}/${id}`;
}

/** Whether the first parameter of a chain or query exists on a type. */
function knows(type: string, name: string): boolean {
  if (name.startsWith('_has:')) return true;
  return parametersOf(type).has(name.split(/[:.]/, 1)[0] ?? '');
}
