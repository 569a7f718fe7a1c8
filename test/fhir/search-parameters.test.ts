import test from 'ava';
import { searchParameterDefinitions, structureDefinitions } from '../../src/fhir/definitions.js';
import { TypeSchema } from '../../src/fhir/expression/schema.js';
import { RESOURCE_TYPES } from '../../src/fhir/r4/resource-types.js';
import { createSearchParameterRegistry, SearchParameterRegistry } from '../../src/fhir/search-parameters.js';

const registry = createSearchParameterRegistry();

const paths = (type: string, code: string) => registry.find(type, code)?.paths;

test('every official expression is compiled, none is left to the engine', (t) => {
  const left = [...RESOURCE_TYPES].flatMap((type) => registry.indexedPaths(type).filter(({ walk }) => !walk));
  t.deepEqual(left, []);
});

test('every official parameter of an indexed kind has a path on every type it is for', (t) => {
  const unindexed = new Set(['composite', 'special']);
  const without = searchParameterDefinitions().flatMap(({ base, code, type, expression }) =>
    unindexed.has(type) || expression === '' || base.includes('Resource')
      ? []
      : base.filter((name) => paths(name, code)?.length === 0).map((name) => `${name} ${code}`),
  );
  t.deepEqual(without, []);
});

test('parameters on the same element share a path', (t) => {
  t.deepEqual(paths('Observation', 'code'), ['code']);
  t.deepEqual(paths('Observation', 'component-code'), ['component.code']);
  t.deepEqual(paths('Observation', 'combo-code'), ['code', 'component.code']);
  t.deepEqual(paths('Patient', 'name'), ['name']);
  t.deepEqual(paths('Patient', 'phonetic'), ['name']);
  t.deepEqual(paths('Patient', 'family'), ['name.family']);
});

test('each path of a kind is indexed once', (t) => {
  for (const type of RESOURCE_TYPES) {
    const keys = registry.indexedPaths(type).map(({ kind, path }) => `${kind} ${path}`);
    t.is(new Set(keys).size, keys.length, type);
  }
});

test('a test of the target type becomes a filter on the shared path', (t) => {
  t.like(registry.find('Observation', 'patient'), {
    paths: ['subject'],
    targetFilter: 'Patient',
    targets: ['Patient'],
  });
  t.like(registry.find('Observation', 'subject'), { paths: ['subject'], targetFilter: null });
  t.like(registry.find('AllergyIntolerance', 'patient'), {
    paths: ['patient'],
    targetFilter: null,
    targets: ['Patient'],
  });
});

test('targets are those of the type itself, not of all types that share the parameter', (t) => {
  t.deepEqual(registry.find('Observation', 'subject')?.targets.toSorted(), [
    'Device',
    'Group',
    'Location',
    'Patient',
  ]);
  t.deepEqual(registry.find('DeviceUseStatement', 'patient')?.targets, ['Patient', 'Group']);
  t.deepEqual(registry.find('Condition', 'code')?.targets, []);
});

test('filters and choice types stay in the path', (t) => {
  t.deepEqual(paths('Patient', 'phone'), ["telecom.where(system='phone')"]);
  t.deepEqual(paths('Patient', 'deceased'), ['deceased.exists() and deceased!=false']);
  t.deepEqual(paths('Observation', 'value-string'), [
    'value.ofType(string)',
    'value.ofType(CodeableConcept).text',
  ]);
  t.deepEqual(paths('Observation', 'value-date'), ['value.ofType(dateTime)', 'value.ofType(Period)']);
  t.deepEqual(paths('MedicationRequest', 'medication'), ['medication.ofType(Reference)']);
});

test('parameters of Resource and DomainResource apply to every type', (t) => {
  t.deepEqual(paths('Patient', '_tag'), ['meta.tag']);
  t.deepEqual(paths('Patient', '_profile'), ['meta.profile']);
  t.deepEqual(paths('Patient', '_source'), ['meta.source']);
  t.deepEqual(paths('Patient', '_id'), []);
  t.deepEqual(paths('Patient', '_lastUpdated'), []);
  t.truthy(registry.find('Patient', '_text'));
  t.truthy(registry.find('Binary', '_content'));
  t.is(registry.find('Binary', '_text'), undefined);
});

test('a composite parameter has components and no path of its own', (t) => {
  const parameter = registry.find('Observation', 'code-value-quantity');
  t.deepEqual(parameter?.paths, []);
  t.like(parameter?.roots, [
    {
      components: [
        { code: 'code', type: 'token', paths: ['code'], within: 'resource' },
        { code: 'value-quantity', type: 'quantity', paths: ['value.ofType(Quantity)'], within: 'resource' },
      ],
    },
  ]);
});

test('components within an element that repeats have paths that begin there', (t) => {
  const roots = registry.find('Observation', 'combo-code-value-concept')?.roots;
  t.deepEqual(
    roots?.map(({ components }) => components.map((one) => one.paths)),
    [
      [['code'], ['value.ofType(CodeableConcept)']],
      [['component#token:code'], ['component#token:value.ofType(CodeableConcept)']],
    ],
  );
  const variant = registry.find('MolecularSequence', 'chromosome-variant-coordinate')?.roots?.[0];
  t.deepEqual(
    variant?.components.map(({ within }) => within),
    ['resource', 'element', 'element'],
  );
});

test('every composite parameter has a root with all its components on every type it is for', (t) => {
  const composites = searchParameterDefinitions().filter(({ type }) => type === 'composite');
  t.is(composites.length, 46);
  for (const { base, code, components = [] } of composites) {
    for (const name of base) {
      const roots = registry.find(name, code)?.roots ?? [];
      t.true(roots.length > 0, `${name} ${code}`);
      for (const root of roots) t.is(root.components.length, components.length, `${name} ${code}`);
    }
  }
});

test('an unknown code or type has no parameter', (t) => {
  t.is(registry.find('Patient', 'colour'), undefined);
  t.is(registry.find('Patient', 'constructor'), undefined);
  t.is(registry.find('__proto__', 'name'), undefined);
});

test('the list of a type is in alphabetical order', (t) => {
  const codes = registry.list('Patient').map(({ code }) => code);
  t.deepEqual(codes, codes.toSorted());
  t.true(codes.includes('_id') && codes.includes('birthdate'));
});

test('an expression that the compiler does not know is one path, left to the engine', (t) => {
  const own = {
    code: 'initials',
    url: 'urn:example:initials',
    type: 'string' as const,
    base: ['Patient'],
    expression: 'Patient.name.given.substring(0, 1)',
    description: '',
  };
  const small = new SearchParameterRegistry([own], new TypeSchema(structureDefinitions()));
  t.deepEqual(small.find('Patient', 'initials')?.paths, [own.expression]);
  t.is(small.indexedPaths('Patient')[0]?.walk, undefined);
});

test('a registry that follows another keeps what did not change', (t) => {
  const [one] = searchParameterDefinitions().filter(({ url }) => url.endsWith('/Patient-link'));
  const others = searchParameterDefinitions().filter((definition) => definition !== one);
  const first = createSearchParameterRegistry();
  const [patient, flag] = [first.indexedPaths('Patient'), first.indexedPaths('Flag')];
  const second = first.with(others, one ? [one] : []);
  t.is(second.indexedPaths('Flag'), flag);
  t.not(second.indexedPaths('Patient'), patient);
  t.is(second.find('Patient', 'link'), undefined);
  t.truthy(first.find('Patient', 'link'));
  const keys = (indexed: typeof patient) => indexed.map(({ kind, path }) => `${kind} ${path}`).toSorted();
  t.deepEqual(keys(second.indexedPaths('Patient')), keys(patient), 'its path goes on being indexed');
});
