import test from 'ava';
import {
  compartmentDefinitions,
  isResourceType,
  requiredValueSets,
  searchParameterDefinitions,
  structureDefinitions,
} from '../../src/fhir/definitions.js';
import { packStructures, unpackStructures, type CompactElement } from '../../src/fhir/r4/compact.js';
import { RESOURCE_TYPES } from '../../src/fhir/r4/resource-types.js';

test('the static list of resource types is that of the definitions', (t) => {
  const types = [...structureDefinitions().values()].filter(
    ({ kind, abstract }) => kind === 'resource' && !abstract,
  );
  t.deepEqual(types.map(({ type }) => type).toSorted(), [...RESOURCE_TYPES]);
});

test('abstract types, datatypes and inherited names are no resource types', (t) => {
  for (const name of ['Resource', 'DomainResource', 'HumanName', 'patient', 'constructor', '']) {
    t.false(isResourceType(name), name);
  }
  t.true(isResourceType('Patient'));
});

test('there are 1,375 search parameters, 1,372 of them with an expression', (t) => {
  t.is(searchParameterDefinitions().length, 1375);
  t.is(searchParameterDefinitions().filter(({ expression }) => expression !== '').length, 1372);
  t.is(
    searchParameterDefinitions().reduce((pairs, { base }) => pairs + base.length, 0),
    1706,
  );
});

function find(type: string, path: string): CompactElement | undefined {
  return structureDefinitions()
    .get(type)
    ?.elements.find((element) => element.path === path);
}

test('an element knows its cardinality, types, targets, binding and content reference', (t) => {
  const gender = find('Patient', 'Patient.gender');
  t.like(gender, { min: 0, max: 1, isSummary: true, types: [{ code: 'code' }] });
  t.deepEqual(gender?.binding, {
    strength: 'required',
    valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender',
    system: 'http://hl7.org/fhir/administrative-gender',
  });
  t.is(find('Patient', 'Patient.name')?.max, Infinity);
  t.deepEqual(find('Patient', 'Patient.managingOrganization')?.types, [
    { code: 'Reference', targets: ['Organization'] },
  ]);
  t.is(find('Bundle', 'Bundle.entry.link')?.contentReference, 'Bundle.link');
  t.true(find('Patient', 'Patient.active')?.isModifier);
});

test('packing and unpacking structures changes nothing', (t) => {
  const structures = [...structureDefinitions().values()];
  t.deepEqual([...unpackStructures(packStructures(structures)).values()], structures);
});

test('required value sets list their codes by system', (t) => {
  t.deepEqual(requiredValueSets()['http://hl7.org/fhir/ValueSet/administrative-gender'], {
    'http://hl7.org/fhir/administrative-gender': ['male', 'female', 'other', 'unknown'],
  });
  t.is(requiredValueSets()['http://hl7.org/fhir/ValueSet/ucum-units'], undefined);
});

test('every value set that is required is listed, but for those without a list', (t) => {
  const required = [...structureDefinitions().values()]
    .flatMap(({ elements }) => elements.flatMap(({ binding }) => binding ?? []))
    .filter(({ strength }) => strength === 'required');
  const missing = new Set(
    required.map(({ valueSet }) => valueSet).filter((url) => !requiredValueSets()[url]),
  );
  t.deepEqual([...missing].toSorted(), [
    'http://hl7.org/fhir/ValueSet/currencies',
    'http://hl7.org/fhir/ValueSet/mimetypes',
    'http://hl7.org/fhir/ValueSet/ucum-units',
    'http://loinc.org/vs/LL379-9',
  ]);
});

test('there are five compartments', (t) => {
  const sizes = Object.entries(compartmentDefinitions()).map(([code, types]) => [
    code,
    Object.keys(types).length,
  ]);
  t.deepEqual(Object.fromEntries(sizes), {
    Device: 32,
    Encounter: 25,
    Patient: 66,
    Practitioner: 59,
    RelatedPerson: 32,
  });
});
