import test from 'ava';
import { FhirError, type ErrorCode } from '../../src/model/errors.js';
import type { SearchValue } from '../../src/search/search-request.js';
import { BASE, parse, valuesOf } from './fixtures.js';

const token = (system: string | null | undefined, code: string | undefined): SearchValue => ({
  kind: 'token',
  system,
  code,
});
const day = (text: string, days = 1): { low: number; high: number } => {
  const low = Date.parse(`${text}T00:00:00Z`);
  return { low, high: low + days * 86_400_000 - 1 };
};

const VALUES: readonly [type: string, query: string, values: readonly SearchValue[]][] = [
  ['Observation', 'code=a', [token(undefined, 'a')]],
  ['Observation', 'code=urn:s|a', [token('urn:s', 'a')]],
  ['Observation', 'code=|a', [token(null, 'a')]],
  ['Observation', 'code=urn:s|', [token('urn:s', undefined)]],
  ['Observation', 'code=a,urn:s|b', [token(undefined, 'a'), token('urn:s', 'b')]],
  [
    'Observation',
    String.raw`code=a\,b\|c\\,d\$e`,
    [token(undefined, String.raw`a,b|c\ `.trim()), token(undefined, 'd$e')],
  ],
  ['Patient', 'name=Smi th', [{ kind: 'string', match: 'prefix', text: 'Smi th' }]],
  ['Patient', 'name:exact=Smith', [{ kind: 'string', match: 'exact', text: 'Smith' }]],
  ['Patient', 'name:contains=mit', [{ kind: 'string', match: 'contains', text: 'mit' }]],
  ['Patient', 'birthdate=1970-01-02', [{ kind: 'date', comparison: 'eq', ...day('1970-01-02') }]],
  ['Patient', 'birthdate=ge2000', [{ kind: 'date', comparison: 'ge', ...day('2000-01-01', 366) }]],
  [
    'Patient',
    '_id=a,b',
    [
      { kind: 'id', id: 'a' },
      { kind: 'id', id: 'b' },
    ],
  ],
  ['Observation', 'subject=Patient/1', [{ kind: 'local', types: ['Patient'], id: '1' }]],
  ['Observation', 'patient=1', [{ kind: 'local', types: ['Patient'], id: '1' }]],
  ['Observation', 'subject:Patient=1', [{ kind: 'local', types: ['Patient'], id: '1' }]],
  ['Observation', `subject=${BASE}/Patient/1`, [{ kind: 'local', types: ['Patient'], id: '1' }]],
  [
    'Observation',
    'subject=http://other/fhir/Patient/1',
    [{ kind: 'url', url: 'http://other/fhir/Patient/1', match: 'exact' }],
  ],
  ['Observation', 'subject=urn:uuid:1', [{ kind: 'url', url: 'urn:uuid:1', match: 'exact' }]],
  ['Provenance', 'target=1', [{ kind: 'local', types: [], id: '1' }]],
  ['ValueSet', 'url=http://x/y?z', [{ kind: 'uri', uri: 'http://x/y?z', match: 'exact' }]],
  [
    'RiskAssessment',
    'probability=gt0.8',
    [{ kind: 'number', comparison: 'gt', value: 0.8, low: 0.75, high: 0.85 }],
  ],
  [
    'Observation',
    'value-quantity=5.4|http://unitsofmeasure.org|mg',
    [
      {
        kind: 'quantity',
        comparison: 'eq',
        value: 5.4,
        low: 5.35,
        high: 5.45,
        system: 'http://unitsofmeasure.org',
        code: 'mg',
      },
    ],
  ],
  [
    'Observation',
    'value-quantity=le5||mg',
    [{ kind: 'quantity', comparison: 'le', value: 5, low: 4.5, high: 5.5, system: null, code: 'mg' }],
  ],
  [
    'Observation',
    'value-quantity=5',
    [{ kind: 'quantity', comparison: 'eq', value: 5, low: 4.5, high: 5.5, system: null, code: null }],
  ],
];

for (const [type, query, values] of VALUES) {
  test(`${type}?${query} is understood`, (t) => {
    t.deepEqual(valuesOf(type, query.replaceAll('+', '%2B')), values);
  });
}

const REFUSED: readonly [type: string, query: string, code: ErrorCode, message: RegExp][] = [
  [
    'Patient',
    'never=1',
    'UNKNOWN_SEARCH_PARAMETER',
    /"never".*Patient has no search parameter "never"; it has _id, .*birthdate, /,
  ],
  [
    'Patient',
    'name:above=1',
    'UNKNOWN_SEARCH_PARAMETER',
    /"name:above".*use :exact, :contains, :text, :missing/,
  ],
  ['Patient', 'name:exact:contains=1', 'UNKNOWN_SEARCH_PARAMETER', /more than one modifier/],
  ['Observation', 'subject:Nothing=1', 'UNKNOWN_SEARCH_PARAMETER', /:missing or :\[type\]/],
  ['Patient', '_id:exact=1', 'UNKNOWN_SEARCH_PARAMETER', /use :not, :missing/],
  ['Patient', '_text=x', 'UNKNOWN_SEARCH_PARAMETER', /"_text": full text search is off .* fullText/],
  ['Patient', '_content=x', 'UNKNOWN_SEARCH_PARAMETER', /"_content": full text search is off .* fullText/],
  ['Observation', 'code-value-quantity=a', 'INVALID_SEARCH', /code \(token\)\$value-quantity \(quantity\)/],
  ['Observation', 'code-value-quantity=a$much', 'INVALID_SEARCH', /no number/],
  ['Observation', '_sort=code-value-quantity', 'UNKNOWN_SEARCH_PARAMETER', /nothing is sorted/],
  ['Patient', '_contained=yes', 'INVALID_SEARCH', /true, false, both/],
  ['Patient', '_containedType=inside', 'INVALID_SEARCH', /container, contained/],
  ['Patient', '_contained=true&_contained=both', 'INVALID_SEARCH', /give it once/],
  ['Patient', '_contained=true&_sort=_id', 'INVALID_SEARCH', /nothing is sorted/],
  ['Patient', '_contained=both&_lastUpdated=2020', 'INVALID_SEARCH', /_lastUpdated is no parameter/],
  ['Patient', '_contained=true&_list=l', 'INVALID_SEARCH', /_has and _list/],
  ['Patient', '_contained=true&_has:Observation:patient:code=x', 'INVALID_SEARCH', /_has and _list/],
  ['Patient', '_contained=true&_include=*', 'INVALID_SEARCH', /containers are of many types/],
  ['Encounter', '_contained=true&location:below=Location/l', 'INVALID_SEARCH', /location takes no :above/],
  [
    'Patient',
    '_contained=true&_containedType=contained&_include=Patient:link',
    'INVALID_SEARCH',
    /includes start at containers/,
  ],
  ['Patient', 'name=', 'INVALID_SEARCH', /"name": the value is empty/],
  ['Patient', 'name=a,,b', 'INVALID_SEARCH', /empty/],
  ['Patient', 'birthdate=yesterday', 'INVALID_SEARCH', /no date/],
  ['Patient', 'birthdate=2000-02-30', 'INVALID_SEARCH', /no date/],
  ['Patient', 'birthdate=xx2000', 'INVALID_SEARCH', /prefix \(eq, ne/],
  ['Patient', 'birthdate:missing=maybe', 'INVALID_SEARCH', /true or false/],
  ['Observation', 'value-quantity=much', 'INVALID_SEARCH', /no number/],
  ['Observation', 'value-quantity=1|a|b|c', 'INVALID_SEARCH', /number\|system\|code/],
  ['Observation', 'value-quantity=1e999', 'INVALID_SEARCH', /no number/],
  ['Observation', 'code=|', 'INVALID_SEARCH', /system or a code/],
  ['Observation', 'code=a|b|c', 'INVALID_SEARCH', /system\|code/],
  ['Observation', 'subject=Nothing/1', 'INVALID_SEARCH', /no reference/],
  ['Observation', 'subject:Patient=Group/1', 'INVALID_SEARCH', /no reference to a Patient/],
  ['Observation', 'code.text=x', 'UNKNOWN_SEARCH_PARAMETER', /no reference to follow/],
  ['Observation', 'subject:Patient.never=x', 'UNKNOWN_SEARCH_PARAMETER', /"subject:Patient.never"/],
  ['Observation', 'subject.never=x', 'UNKNOWN_SEARCH_PARAMETER', /never/],
  ['Observation', 'subject:Patient.birthdate=x', 'INVALID_SEARCH', /no date/],
  ['Provenance', 'target.name=x', 'UNKNOWN_SEARCH_PARAMETER', /name the type/],
  ['Patient', '_has:Nothing:a:b=c', 'UNKNOWN_SEARCH_PARAMETER', /"Nothing" is not a resource type/],
  ['Patient', '_has:Observation:code:status=c', 'UNKNOWN_SEARCH_PARAMETER', /no reference/],
  ['Patient', 'general-practitioner:Practitioner.name.name=c', 'UNKNOWN_SEARCH_PARAMETER', /follow/],
  ['Patient', '_count=-1', 'INVALID_SEARCH', /whole number/],
  ['Patient', '_count=NaN', 'INVALID_SEARCH', /whole number/],
  ['Patient', '_sort=never', 'UNKNOWN_SEARCH_PARAMETER', /"_sort".*"never"/],
  ['Patient', '_total=most', 'INVALID_SEARCH', /none, estimate, accurate/],
  ['Patient', '_summary=most', 'INVALID_SEARCH', /use one of/],
  ['Patient', '_list:not=l', 'UNKNOWN_SEARCH_PARAMETER', /"_list:not": it takes no modifier/],
  ['Encounter', 'subject:Patient._list:not=l', 'UNKNOWN_SEARCH_PARAMETER', /it takes no modifier/],
  ['Patient', '_include=Patient', 'INVALID_SEARCH', /Type:parameter/],
  ['Patient', '_include=Patient:name', 'INVALID_SEARCH', /no reference/],
  ['Patient', '_include:once=Patient:organization', 'UNKNOWN_SEARCH_PARAMETER', /:iterate/],
  ['Patient', '_revinclude=*', 'INVALID_SEARCH', /Type:\*/],
  ['Patient', '_id=' + 'a,'.repeat(300) + 'a', 'LIMIT_EXCEEDED', /200 values/],
  ['Patient', '_sort=' + 'name,'.repeat(10) + 'name', 'LIMIT_EXCEEDED', /10 keys/],
  ['Patient', 'name=a&'.repeat(65), 'LIMIT_EXCEEDED', /64 parameters/],
  ['Observation', ('code=' + 'a,'.repeat(99) + 'a&').repeat(3), 'LIMIT_EXCEEDED', /200 values/],
  ['Encounter', 'part-of:Encounter.'.repeat(6) + '_id=1', 'LIMIT_EXCEEDED', /5 references/],
];

for (const [type, query, code, message] of REFUSED) {
  test(`${type}?${query.slice(0, 60)} is refused as ${code}`, (t) => {
    const error = t.throws(() => parse(type, query), { instanceOf: FhirError, message });
    t.is(error?.code, code);
  });
}

test('lenient handling leaves out what is unknown, and says so', (t) => {
  const request = parse('Patient', 'never=1&name=a&birthdate:above=2000&_sort=never', {
    handling: 'lenient',
  });
  t.deepEqual(request.applied, [['name', 'a']]);
  t.is(request.criteria.length, 1);
  t.deepEqual(request.sort, []);
  t.deepEqual(
    request.ignored.map((issue) => issue.location),
    [['http.never'], ['http.birthdate:above'], ['http._sort']],
  );
  t.true(request.ignored.every((issue) => issue.severity === 'warning'));
});

test('lenient handling still refuses wrong values', (t) => {
  t.throws(() => parse('Patient', 'birthdate=never', { handling: 'lenient' }), { instanceOf: FhirError });
});

test('parameters about the result are read, those about the format passed over', (t) => {
  const request = parse(
    'Observation',
    '_count=5&_total=none&_sort=-date,_id&_elements=code,status&_summary=data&_format=json&_pretty=true',
  );
  t.is(request.count, 5);
  t.is(request.total, 'none');
  t.is(request.summary, 'data');
  t.deepEqual(request.elements, ['code', 'status']);
  t.deepEqual(
    request.sort.map((key) => [key.parameter.code, key.direction]),
    [
      ['date', 'descending'],
      ['_id', 'ascending'],
    ],
  );
  t.deepEqual(
    request.applied.map(([name]) => name),
    ['_count', '_total', '_sort', '_elements', '_summary'],
  );
});

test('a count over the limit is served as the limit, none as the default', (t) => {
  t.is(parse('Patient', '_count=999999999').count, 1000);
  t.is(parse('Patient', '').count, 20);
  t.is(parse('Patient', '_count=0').count, 0);
});

test('includes name a type and a parameter, a target or the wildcard', (t) => {
  const { includes } = parse(
    'Observation',
    '_include=Observation:subject:Patient&_include=*&_revinclude:iterate=Provenance:target',
  );
  t.deepEqual(
    includes.map((one) => [one.direction, one.iterate, one.sourceType, one.parameter?.code, one.targetType]),
    [
      ['include', false, 'Observation', 'subject', 'Patient'],
      ['include', false, 'Observation', undefined, null],
      ['revinclude', true, 'Provenance', 'target', null],
    ],
  );
});

test('a chain without type follows every type that knows the rest', (t) => {
  const [criterion] = parse('Observation', 'subject.name=x').criteria;
  t.true(criterion?.kind === 'chain');
  const types = criterion?.kind === 'chain' ? criterion.targets.map((target) => target.type) : [];
  t.deepEqual(types.toSorted(), ['Location', 'Patient']);
});

test('a chain ends in any parameter with its modifier, and may be reversed', (t) => {
  const [chain, has] = parse(
    'Patient',
    'general-practitioner:Practitioner.name:exact=x&_has:Observation:patient:code=y',
  ).criteria;
  t.like(chain, {
    kind: 'chain',
    targets: [{ type: 'Practitioner', criterion: { values: [{ match: 'exact' }] } }],
  });
  t.like(has, { kind: 'has', type: 'Observation', criterion: { values: [{ code: 'y' }] } });
});
