import test from 'ava';
import { FhirError, type ErrorCode } from '../../src/model/errors.js';
import type { FilterNode } from '../../src/search/filter/filter-node.js';
import { readFilter } from '../../src/search/filter/read-filter.js';
import { parseSearch } from '../../src/search/parse.js';
import type { SearchParameterSource } from '../../src/search/parse-context.js';
import { context, parse, parseFilterOf, valuesOfFilter } from './fixtures.js';

/** A filter in prefix form. */
function shown(node: FilterNode): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `${node.kind}(${node.of.map(shown).join()})`;
    case 'not':
      return `not(${shown(node.of)})`;
    case 'test': {
      const path = node.path.map(
        ({ name, type, filter }) =>
          name + (type === undefined ? '' : `:${type}`) + (filter === undefined ? '' : `[${shown(filter)}]`),
      );
      return `${path.join('.')} ${node.operator} ${node.value}`;
    }
  }
}

const SYNTAX: readonly [filter: string, meaning: string][] = [
  ['name co "pet"', 'name co pet'],
  ['given eq "peter" and birthdate ge 2014-10-10', 'and(given eq peter,birthdate ge 2014-10-10)'],
  ['a eq 1 and b eq 2 and c eq 3', 'and(a eq 1,b eq 2,c eq 3)'],
  ['a eq 1 or b eq 2 and c eq 3', 'and(or(a eq 1,b eq 2),c eq 3)'],
  ['a eq 1 and b eq 2 or c eq 3', 'or(and(a eq 1,b eq 2),c eq 3)'],
  ['a eq 1 or (b eq 2 and c eq 3)', 'or(a eq 1,and(b eq 2,c eq 3))'],
  ['not (a eq 1) or not(b eq 2)', 'or(not(a eq 1),not(b eq 2))'],
  ['NOT (a EQ 1) AND b Ne 2', 'and(not(a eq 1),b ne 2)'],
  ['not eq 1', 'not eq 1'],
  ['  ( ( a eq 1 ) )  ', 'a eq 1'],
  ['a\teq\n1', 'a eq 1'],
  [String.raw`a eq "x\"y\u0041 ) ] and"`, 'a eq x"yA ) ] and'],
  ['(code eq http://loinc.org|1234-5)', 'code eq http://loinc.org|1234-5'],
  ['subject.name co "pet"', 'subject.name co pet'],
  ['subject:Patient.organization.name sw x', 'subject:Patient.organization.name sw x'],
  ['related[type eq "has-component"].target pr true', 'related[type eq has-component].target pr true'],
  ['a[b eq 1 or not(c eq 2)].d[e eq 3].f eq 4', 'a[or(b eq 1,not(c eq 2))].d[e eq 3].f eq 4'],
];

for (const [filter, meaning] of SYNTAX) {
  test(`${JSON.stringify(filter)} reads as ${meaning}`, (t) => {
    t.is(shown(readFilter(filter)), meaning);
  });
}

function refusalOf(t: { fail(message: string): void }, read: () => unknown): FhirError {
  try {
    read();
  } catch (error) {
    if (error instanceof FhirError) return error;
    throw error;
  }
  t.fail('not refused');
  throw new Error('not refused');
}

const MALFORMED: readonly [filter: string, says: string][] = [
  ['', 'character 1": the filter ends where the name of a search parameter belongs.'],
  ['name', 'character 5": the filter ends where a space and an operator belongs.'],
  ['name co', 'character 8": the filter ends where a space and a value belongs.'],
  ['name co ', 'character 9": the filter ends where a value belongs.'],
  ['name is x', 'character 6": "is x" stands where an operator (eq, ne, co,'],
  ['name eqs x', 'character 6": "eqs x" stands where an operator'],
  ['name eq x y', 'character 11": "y" stands where "and", "or" or the end belongs.'],
  ['name eq x and', 'character 14": the filter ends where the name of a search parameter belongs.'],
  ['(name eq x', 'character 11": the filter ends where ")", "and" or "or" belongs.'],
  ['name eq x)', 'character 10": ")" stands where "and", "or" or the end belongs.'],
  ["name eq 'x'", `character 9": "'x'" stands where a word or a text in double quotes belongs.`],
  ['name eq "x', 'character 9": ""x" stands where the end of the text that begins here belongs.'],
  [String.raw`name eq "\q"`, 'stands where a text with the escapes of JSON belongs.'],
  ['name eq "x"y', 'character 12": "y" stands where a space after the value belongs.'],
  ['subject[name eq x]', 'character 19": the filter ends where "." and a name after the brackets belongs.'],
  ['subject[name eq x].', 'character 20": the filter ends where the name of a search parameter belongs.'],
  ['subject:.name eq x', 'character 9": ".name eq x" stands where a resource type belongs.'],
  ['name,family eq x', 'character 5": ",family eq x" stands where a space and an operator belongs.'],
];

for (const [filter, says] of MALFORMED) {
  test(`${JSON.stringify(filter)} is refused at its character`, (t) => {
    const { code, message } = refusalOf(t, () => readFilter(filter));
    t.is(code, 'INVALID_SEARCH');
    t.true(message.includes(says), message);
  });
}

const LIMITS: readonly [what: string, filter: string][] = [
  ['20,001 characters', `name eq ${'x'.repeat(20_000)}`],
  ['10,000 brackets', '('.repeat(10_000)],
  ['31 brackets', `${'('.repeat(31)}name eq x${')'.repeat(31)}`],
  ['a hundred changes between "and" and "or"', `name eq x${' and name eq x or name eq x'.repeat(50)}`],
  ['nested brackets behind names', `${'organization['.repeat(31)}name eq x${'].name eq x'.repeat(31)}`],
  ['201 tests', `name eq x${' or name eq x'.repeat(200)}`],
];

for (const [what, filter] of LIMITS) {
  test(`a filter with ${what} is more than allowed`, (t) => {
    t.is(refusalOf(t, () => parseFilterOf('Patient', filter)).code, 'LIMIT_EXCEEDED');
  });
}

test('a filter follows as many references as a chain', (t) => {
  t.notThrows(() => parseFilterOf('Organization', `${'partof.'.repeat(5)}name eq x`));
  const refusal = refusalOf(t, () => parseFilterOf('Organization', `${'partof.'.repeat(6)}name eq x`));
  t.is(refusal.code, 'LIMIT_EXCEEDED');
});

test('the predefined names of code systems stand for their URLs, in tokens and in quantities', (t) => {
  t.like(valuesOfFilter('Observation', 'code eq loinc|1234-5')[0], {
    system: 'http://loinc.org',
    code: '1234-5',
  });
  t.like(valuesOfFilter('Observation', 'code sb SNOMED|22298006')[0], { system: 'http://snomed.info/sct' });
  t.like(valuesOfFilter('Observation', 'value-quantity gt 5|ucum|mg')[0], {
    system: 'http://unitsofmeasure.org',
  });
  t.like(valuesOfFilter('Observation', 'code eq constructor|x')[0], { system: 'constructor', code: 'x' });
  t.like(valuesOfFilter('Observation', 'code eq loinc')[0], { system: undefined, code: 'loinc' });
});

const REFUSED: readonly [type: string, filter: string, code: ErrorCode, says: RegExp][] = [
  [
    'Patient',
    'nam eq x',
    'UNKNOWN_SEARCH_PARAMETER',
    /character 1": Patient has no search parameter "nam"; it has .*name/,
  ],
  ['Patient', 'name eq x and birthdate co x', 'INVALID_SEARCH', /character 15": "x" is no date/],
  [
    'Patient',
    'birthdate sw 2010',
    'INVALID_SEARCH',
    /"sw" means nothing here: "birthdate" is of type date, which takes eq,.*po, co, pr/,
  ],
  ['Patient', 'birthdate eq ge2010', 'INVALID_SEARCH', /"ge2010" is no date/],
  ['Patient', 'gender co male', 'INVALID_SEARCH', /token, which takes eq, ne, ss, sb, in, ni, pr/],
  ['Patient', 'gender ss male', 'INVALID_SEARCH', /system\|code/],
  ['Patient', 'gender in nothing', 'INVALID_SEARCH', /no value set/],
  ['Patient', 'name ap x', 'INVALID_SEARCH', /string, which takes/],
  ['Patient', 'name eq ""', 'INVALID_SEARCH', /empty/],
  ['Patient', 'name pr maybe', 'INVALID_SEARCH', /true or false/],
  ['Patient', '_id co a', 'INVALID_SEARCH', /which takes eq, ne, pr/],
  ['Patient', 'organization eq Organization/1', 'INVALID_SEARCH', /which takes re, pr/],
  ['Patient', 'organization re x/y/z', 'INVALID_SEARCH', /no reference/],
  ['Patient', 'name.family eq x', 'UNKNOWN_SEARCH_PARAMETER', /"name" is no reference/],
  ['Patient', 'organization:Nothing.name eq x', 'UNKNOWN_SEARCH_PARAMETER', /one resource type/],
  [
    'Patient',
    'organization[nam eq x].name eq x',
    'UNKNOWN_SEARCH_PARAMETER',
    /character 14": Organization has no/,
  ],
  ['Patient', 'organization.nam eq x', 'UNKNOWN_SEARCH_PARAMETER', /character 14": Organization has no/],
  ['Location', 'near eq 1|2', 'INVALID_SEARCH', /special, which takes pr/],
  ['RiskAssessment', 'probability co 1', 'INVALID_SEARCH', /number, which takes/],
];

for (const [type, filter, code, says] of REFUSED) {
  test(`${type} with ${filter} is ${code}`, (t) => {
    const error = refusalOf(t, () => parseFilterOf(type, filter));
    t.is(error.code, code);
    t.regex(error.message, says);
  });
}

test('with lenient handling a filter with an unknown name is left out as a whole', (t) => {
  const query = `_filter=${encodeURIComponent('name eq x or nam eq x')}&gender=male`;
  const { criteria, ignored, applied } = parse('Patient', query, { handling: 'lenient' });
  t.is(criteria.length, 1);
  t.deepEqual(applied, [['gender', 'male']]);
  t.regex(ignored[0]?.diagnostics ?? '', /_filter, character 14/);
  t.deepEqual(ignored[0]?.location, ['http._filter']);
});

test('a filter takes no modifier, and is no part of a chain', (t) => {
  t.regex(refusalOf(t, () => parse('Patient', '_filter:not=name eq x')).message, /takes no modifier/);
  t.is(
    refusalOf(t, () => parse('Patient', 'organization._filter=name eq x')).code,
    'UNKNOWN_SEARCH_PARAMETER',
  );
});

/** As the registry, with elements behind the composite parameters of two types. */
const elements: SearchParameterSource = {
  list: (type) => context.registry.list(type),
  find: (type, code) => {
    const parameter = context.registry.find(type, code);
    const codes = COMPONENTS[`${type} ${code}`];
    if (parameter === undefined || codes === undefined) return parameter;
    const components = codes.flatMap((one) => {
      const component = context.registry.find(type, one);
      return component === undefined ? [] : [{ ...component, within: 'element' as const }];
    });
    return { ...parameter, roots: [{ components }] };
  },
};
const COMPONENTS: Readonly<Record<string, readonly string[]>> = {
  'DocumentReference relationship': ['relatesto', 'relation'],
  'Group characteristic-value': ['characteristic', 'value'],
};

function elementValues(type: string, filter: string): unknown {
  const search = parseSearch(type, [['_filter', filter]], { ...context, registry: elements });
  const [criterion] = search.criteria;
  return criterion?.kind === 'values' ? [criterion.parameter.code, criterion.values] : criterion?.kind;
}

const code = (text: string): object => ({ kind: 'token', system: undefined, code: text });

test('the names that filters alone have ask for two parts of one element', (t) => {
  const target = { kind: 'local', types: ['DocumentReference'], id: '1' };
  t.deepEqual(
    elementValues(
      'DocumentReference',
      'relatesTo[code eq replaces or code eq signs].target re DocumentReference/1',
    ),
    [
      'relationship',
      [
        { kind: 'composite', parts: [target, code('replaces')] },
        { kind: 'composite', parts: [target, code('signs')] },
      ],
    ],
  );
  t.deepEqual(elementValues('Group', 'characteristic[value eq a].code eq b'), [
    'characteristic-value',
    [{ kind: 'composite', parts: [code('b'), code('a')] }],
  ]);
  t.deepEqual(elementValues('Group', 'characteristic eq b'), ['characteristic', [code('b')]]);
});

const WRONG_ELEMENTS: readonly [filter: string, says: RegExp][] = [
  ['characteristic.code eq b', /character 1": write characteristic\[filter\]\.name with code and value/],
  ['characteristic[code eq a].code eq b', /ask for both code and value/],
  ['characteristic[constructor eq a].code eq b', /nothing else/],
  ['characteristic[kind eq a].code eq b', /character 16": "characteristic" has code and value/],
  ['characteristic[not(value eq a)].code eq b', /one test, or several with "or"/],
  ['characteristic[value pr true].code eq b', /"pr" is not for parts/],
  ['characteristic[value eq a].code ni b', /"ni" is not for parts/],
  ['characteristic[value in ValueSet/a].code eq b', /"in" is not for parts/],
  ['characteristic[value eq a].code ss s|b', /"ss" is not for parts/],
  ['characteristic[value eq a].code.value eq b', /nothing else/],
];

for (const [filter, says] of WRONG_ELEMENTS) {
  test(`Group with ${filter} is refused`, (t) => {
    const error = refusalOf(t, () => elementValues('Group', filter));
    t.is(error.code, 'INVALID_SEARCH');
    t.regex(error.message, says);
  });
}
