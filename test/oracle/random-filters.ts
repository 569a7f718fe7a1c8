import fc from 'fast-check';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import type { Filter, FilterStep, FilterTest } from './filters.js';
import { plain } from './matching.js';
import { PREFIXES, splitUnescaped, unescapeValue } from './query-text.js';

/** What filters are made of: the parameters of a type, and what may be asked of them. */
export interface FilterSource {
  parametersOf(type: string): readonly SearchParameterDefinition[];
  /** Values as ordinary parameters take them. */
  textsOf(type: string, definition: SearchParameterDefinition, modifier?: string): readonly string[];
  /** Types that a reference leads to. */
  targetsOf(type: string, definition: SearchParameterDefinition): readonly string[];
}

const MAX_STEPS = 2;
const PREFIX = new RegExp(`^(${PREFIXES.join('|')})(?=[-\\d])`);

/** https://hl7.org/fhir/R4/search_filter.html#ops; what a prefix says, an operator says. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  string: ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le'],
  token: ['eq', 'eq', 'ne', 'in', 'ni', 'ss', 'sb'],
  uri: ['eq', 'ne'],
  reference: ['re'],
  number: PREFIXES,
  quantity: PREFIXES,
  date: [...PREFIXES, 'po', 'co'],
  composite: ['eq'],
};
/** The modifier whose values an operator takes. */
const LIKE: Readonly<Record<string, string>> = { in: 'in', ni: 'in', ss: 'below', sb: 'above' };

/** Filters on resources of a type, whose values are mostly taken from what is stored. */
export function randomFilters(source: FilterSource, type: string): fc.Arbitrary<Filter> {
  return filters(source, type, MAX_STEPS);
}

function filters(source: FilterSource, type: string, steps: number): fc.Arbitrary<Filter> {
  const elements = elementsOf(source, type);
  const test: fc.Arbitrary<Filter> = fc.oneof(
    { arbitrary: tests(source, type, steps), weight: 4 },
    ...(elements.length === 0 ? [] : [{ arbitrary: fc.constantFrom(...elements), weight: 1 }]),
  );
  const { filter } = fc.letrec<{ readonly filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { arbitrary: test, weight: 3 },
      {
        arbitrary: fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          left: tie('filter'),
          right: tie('filter'),
        }),
        weight: 2,
      },
      { arbitrary: fc.record({ kind: fc.constant('not' as const), of: tie('filter') }), weight: 1 },
    ),
  }));
  return filter;
}

/** Elements that have names of their own, with the parts of their composite parameters: name and operator. */
const ELEMENTS: Readonly<
  Record<
    string,
    {
      readonly name: string;
      readonly composite: string;
      readonly parts: readonly (readonly [name: string, operator: string])[];
    }
  >
> = {
  Group: {
    name: 'characteristic',
    composite: 'characteristic-value',
    parts: [
      ['code', 'eq'],
      ['value', 'eq'],
    ],
  },
  DocumentReference: {
    name: 'relatesTo',
    composite: 'relationship',
    parts: [
      ['code', 'eq'],
      ['target', 're'],
    ],
  },
};

/** Each pair of values with either of them in the brackets. */
function elementsOf(source: FilterSource, type: string): readonly Filter[] {
  const { name, composite, parts } = ELEMENTS[type] ?? { name: '', composite: '', parts: [] };
  const definition = source.parametersOf(type).find(({ code }) => code === composite);
  if (definition === undefined) return [];
  return source.textsOf(type, definition).flatMap((value): Filter[] => {
    const texts = splitUnescaped(value, '$');
    const [one, other] = parts.map(([part, operator], at) => ({
      name: part,
      operator,
      value: texts[at] ?? '',
    }));
    if (one === undefined || other === undefined) return [];
    const element = { kind: 'element', name, composite, value } as const;
    return [
      { ...element, inner: one, outer: other },
      { ...element, inner: other, outer: one },
    ];
  });
}

function tests(source: FilterSource, type: string, steps: number): fc.Arbitrary<FilterTest> {
  const here = fc
    .constantFrom(...source.parametersOf(type))
    .chain((definition) => testOf(source, type, definition));
  const links = steps === 0 ? [] : linksOf(source, type);
  if (links.length === 0) return here;
  const further = fc.constantFrom(...links).chain(({ code, target }) =>
    fc
      .tuple(
        tests(source, target, steps - 1),
        fc.option(filters(source, target, 0), { nil: undefined, freq: 2 }),
      )
      .map(([test, filter]): FilterTest => {
        const step: FilterStep = { code, type: target, filter };
        return { ...test, path: [step, ...test.path] };
      }),
  );
  return fc.oneof({ arbitrary: here, weight: 3 }, { arbitrary: further, weight: 1 });
}

function linksOf(
  source: FilterSource,
  type: string,
): readonly { readonly code: string; readonly target: string }[] {
  return source
    .parametersOf(type)
    .filter((one) => one.type === 'reference')
    .flatMap((one) => source.targetsOf(type, one).map((target) => ({ code: one.code, target })));
}

function testOf(
  source: FilterSource,
  type: string,
  definition: SearchParameterDefinition,
): fc.Arbitrary<FilterTest> {
  const { code } = definition;
  const known = code === '_id' ? ['eq', 'ne'] : (OPERATORS[definition.type] ?? []);
  const asked = known.flatMap((operator) => {
    const values = valuesOf(source.textsOf(type, definition, LIKE[operator]), { definition, operator });
    return values.length === 0 ? [] : [{ operator, values }];
  });
  const present = { operator: 'pr', values: definition.type === 'special' ? ['true'] : ['true', 'false'] };
  return fc
    .constantFrom(...asked, ...asked, present)
    .chain(({ operator, values }) =>
      fc
        .constantFrom(...values)
        .map((value): FilterTest => ({ kind: 'test', path: [], code, operator, value })),
    );
}

/** Texts and URIs have no escapes in filters, and what is compared has no prefix. */
function valuesOf(
  texts: readonly string[],
  {
    definition: { code, type },
    operator,
  }: { readonly definition: SearchParameterDefinition; readonly operator: string },
): readonly string[] {
  if (code === '_id') return texts;
  switch (type) {
    case 'string':
      return texts.map(unescapeValue).filter((text) => plain(text) !== '');
    case 'uri':
      return texts.map(unescapeValue);
    case 'number':
    case 'quantity':
    case 'date':
      return [...new Set(texts.map((text) => text.replace(PREFIX, '')))];
    case 'token':
      // What subsumes what is known of codes with a system.
      return operator === 'ss' || operator === 'sb' ? texts.filter((text) => text.includes('|')) : texts;
    default:
      return texts;
  }
}
