import fc from 'fast-check';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import { parametersOf as definitionsOf } from './parameters.js';
import { printFilter } from './filters.js';
import { modifiersOf, textsIn } from './query-values.js';
import { randomFilters, type FilterSource } from './random-filters.js';
import type { QueryPart, SearchOracle } from './search-oracle.js';

/** A search of one type; all of its parts must hold. */
export interface RandomQuery {
  readonly type: string;
  readonly parts: readonly QueryPart[];
}

/** What the server can be asked for. */
export interface Served {
  readonly types: readonly string[];
  isServed(type: string, code: string, modifier?: string): boolean;
}

type Part = fc.Arbitrary<QueryPart>;

/** A reference parameter of a type. */
interface Link {
  readonly from: string;
  readonly code: string;
}

const MAX_ALTERNATIVES = 3;
const MAX_DEPTH = 2;

/** Searches whose values are mostly taken from what is stored; they shrink to fewer parts and values. */
export class RandomQueries implements FilterSource {
  readonly #oracle: SearchOracle;
  readonly #served: Served;
  readonly #texts = new Map<string, readonly string[]>();
  readonly #links = new Map<string, readonly Link[]>();
  readonly #codes = new Map<string, readonly SearchParameterDefinition[]>();

  constructor(oracle: SearchOracle, served: Served) {
    this.#oracle = oracle;
    this.#served = served;
  }

  query(): fc.Arbitrary<RandomQuery> {
    return fc.constantFrom(...this.#served.types).chain((type) =>
      fc.record({
        type: fc.constant(type),
        parts: fc.array(this.part(type, 0), { minLength: 1, maxLength: 3 }),
      }),
    );
  }

  /** A search that goes by the resources themselves and what they refer to, not by who refers to them. */
  ownQuery(type: string): fc.Arbitrary<RandomQuery> {
    const part = fc.oneof({ arbitrary: this.#plain(type), weight: 3 }, this.#filter(type));
    return fc.record({
      type: fc.constant(type),
      parts: fc.array(part, { maxLength: 2 }),
    });
  }

  /** A search with what to add to its matches. */
  includes(): fc.Arbitrary<RandomQuery> {
    return fc.constantFrom(...this.#served.types).chain((type) =>
      fc.record({
        type: fc.constant(type),
        parts: fc
          .tuple(this.#plain(type), fc.array(this.#include(), { minLength: 1, maxLength: 3 }))
          .map(([plain, includes]) => [plain, ...includes]),
      }),
    );
  }

  #include(): Part {
    return fc
      .tuple(
        fc.constantFrom(...this.#served.types),
        fc.constantFrom('_include', '_revinclude', '_include:iterate', '_revinclude:iterate'),
      )
      .chain(([from, name]) => {
        const codes = this.parametersOf(from).filter((one) => one.type === 'reference');
        if (codes.length === 0) return fc.constant<QueryPart>([name, `${from}:*`]);
        return fc
          .tuple(
            fc.oneof(
              { arbitrary: fc.constantFrom(...codes.map(({ code }) => code)), weight: 9 },
              fc.constant('*'),
            ),
            fc.constantFrom('', '', ':Patient', ':Organization', ':Location'),
          )
          .map(([code, target]): QueryPart => [name, `${from}:${code}${target}`]);
      });
  }

  /** One parameter with its value. */
  part(type: string, depth: number): Part {
    const plain = this.#plain(type);
    if (depth >= MAX_DEPTH) return plain;
    const links = this.parametersOf(type).filter((one) => one.type === 'reference');
    return fc.oneof(
      { arbitrary: plain, weight: 6 },
      ...(depth > 0
        ? []
        : [
            { arbitrary: this.#filter(type), weight: 2 },
            { arbitrary: this.#list(), weight: 1 },
          ]),
      ...(links.length === 0 ? [] : [{ arbitrary: this.#chain(type, links, depth), weight: 1 }]),
      ...this.#has(type, depth).map((arbitrary) => ({ arbitrary, weight: 1 })),
    );
  }

  /** The parameters of a type that can be asked for. */
  parametersOf(type: string): readonly SearchParameterDefinition[] {
    const known = this.#codes.get(type);
    if (known) return known;
    const made = [...definitionsOf(type).values()].filter(
      ({ code, expression }) => expression !== '' && this.#served.isServed(type, code),
    );
    this.#codes.set(type, made);
    return made;
  }

  #plain(type: string): Part {
    return fc.constantFrom(...this.parametersOf(type)).chain((definition) => {
      // An id is no token of a resource's: only what every parameter has makes sense of it.
      const possible = definition.code === '_id' ? ['not'] : modifiersOf(definition.type);
      const kinds = ['missing', ...possible].filter((modifier) =>
        this.#served.isServed(type, definition.code, modifier),
      );
      const asked = [undefined, undefined, undefined, undefined, ...kinds].flatMap((modifier) =>
        this.textsOf(type, definition, modifier).length === 0 ? [] : [modifier],
      );
      if (asked.length === 0) return fc.constant<QueryPart>(['_id', 'none']);
      return fc.constantFrom(...asked).chain((modifier) => this.#named(type, definition, modifier));
    });
  }

  #named(type: string, definition: SearchParameterDefinition, modifier: string | undefined): Part {
    const texts = this.textsOf(type, definition, modifier);
    const maxLength = modifier === 'missing' ? 1 : MAX_ALTERNATIVES;
    const name = modifier === undefined ? definition.code : `${definition.code}:${modifier}`;
    return fc
      .array(fc.constantFrom(...texts), { minLength: 1, maxLength })
      .map((values): QueryPart => [name, values.join()]);
  }

  #chain(type: string, links: readonly SearchParameterDefinition[], depth: number): Part {
    return fc.constantFrom(...links).chain((link) => {
      const targets = this.targetsOf(type, link);
      if (targets.length === 0) return this.#plain(type);
      return fc
        .constantFrom(...targets)
        .chain((target) =>
          this.part(target, depth + 1).map(([name, value]): QueryPart => [
            `${link.code}:${target}.${name}`,
            value,
          ]),
        );
    });
  }

  /** Types of what a reference leads to. */
  targetsOf(type: string, link: SearchParameterDefinition): readonly string[] {
    const names = this.#oracle.resourcesOf(type).flatMap((one) => this.#oracle.chainedTo(one, link));
    return [...new Set(names.map((name) => name.slice(0, name.indexOf('/'))))];
  }

  /** `_sort` by up to three keys. */
  order(type: string): fc.Arbitrary<string> {
    const codes = this.parametersOf(type)
      .filter((one) => one.type !== 'composite' && one.type !== 'special')
      .map(({ code }) => code);
    const key = fc.constantFrom(...codes).chain((code) => fc.constantFrom(code, `-${code}`));
    return fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join());
  }

  #filter(type: string): Part {
    return randomFilters(this, type).map((filter): QueryPart => ['_filter', printFilter(filter), filter]);
  }

  #list(): Part {
    const ids = this.#oracle.resourcesOf('List').flatMap(({ id }) => id ?? []);
    return fc
      .array(fc.constantFrom('none', ...ids), { minLength: 1, maxLength: MAX_ALTERNATIVES })
      .map((values): QueryPart => ['_list', values.join()]);
  }

  #has(type: string, depth: number): Part[] {
    const known = this.#links.get(type);
    const links = known ?? this.#linksTo(type);
    this.#links.set(type, links);
    if (links.length === 0) return [];
    return [
      fc
        .constantFrom(...links)
        .chain(({ from, code }) =>
          this.part(from, depth + 1).map(([name, value]): QueryPart => [
            `_has:${from}:${code}:${name}`,
            value,
          ]),
        ),
    ];
  }

  /** Canonical URLs are not followed back. */
  #linksTo(type: string): readonly Link[] {
    return this.#served.types.flatMap((from) =>
      this.parametersOf(from)
        .filter((one) => one.type === 'reference' && (one.target ?? []).includes(type))
        .filter((one) =>
          this.#oracle.resourcesOf(from).some((other) => this.#oracle.targetsOf(other, one).length > 0),
        )
        .map(({ code }) => ({ from, code })),
    );
  }

  /** Values to ask for, with everything that can be written of them. */
  textsOf(type: string, definition: SearchParameterDefinition, modifier?: string): readonly string[] {
    if (modifier === 'missing') return ['true', 'false'];
    const key = `${type} ${definition.url} ${modifier}`;
    const known = this.#texts.get(key);
    if (known) return known;
    const texts = this.#oracle
      .resourcesOf(type)
      .flatMap((resource) => textsIn(resource, definition, modifier));
    const made = [...new Set(texts)];
    this.#texts.set(key, made);
    return made;
  }
}

/** The search as a query string. */
export function queryString(parts: readonly QueryPart[]): string {
  return parts.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
}

/** For messages: the query as a person would write it. */
export function printQuery({ type, parts }: RandomQuery): string {
  return `${type}?${parts.map(([name, value]) => `${name}=${value}`).join('&')}`;
}
