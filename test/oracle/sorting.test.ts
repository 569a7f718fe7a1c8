import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { SearchOracle } from './search-oracle.js';
import { wrongOrder } from './sorting.js';

const people = {
  ann: { birthDate: '1980', name: [{ family: 'B' }, { family: 'D' }] },
  bob: {
    birthDate: '1980-06',
    name: [{ family: 'C' }],
    generalPractitioner: [{ reference: 'Practitioner/new' }],
  },
  eve: { name: [{ family: 'É' }], generalPractitioner: [{ reference: 'Practitioner/old' }] },
  nil: {},
};
const resources = Object.entries(people).map(
  ([id, content]) => ({ resourceType: 'Patient', id, ...content }) as FhirResource,
);
const oracle = new SearchOracle(resources, 'http://here.example');
const AGES = new Map([
  ['Practitioner/old', 1],
  ['Practitioner/new', 2],
]);

function isRight(ids: string, sort: string): boolean {
  const order = ids.split(' ').map((id) => resources.find((one) => one.id === id)!);
  const world = {
    base: 'http://here.example',
    valuesOf: oracle.valuesOf.bind(oracle),
    ageOf: (name: string) => AGES.get(name),
  };
  return wrongOrder(world, order, sort) === undefined;
}

test('of several values the first one in the order counts, and what has none comes last', (t) => {
  t.true(isRight('ann bob eve nil', 'family'));
  t.true(isRight('eve ann bob nil', '-family'));
  t.false(isRight('nil ann bob eve', 'family'));
  t.false(isRight('nil eve ann bob', '-family'));
  t.false(isRight('bob ann eve nil', 'family'));
});

test('dates go by their beginning, downwards by their end', (t) => {
  t.true(isRight('ann bob eve nil', 'birthdate'));
  t.true(isRight('ann bob nil eve', '-birthdate'));
  t.false(isRight('bob ann eve nil', '-birthdate'));
});

test('references go by the age of what they lead to, and equals may stand in any order', (t) => {
  t.true(isRight('eve bob ann nil', 'general-practitioner'));
  t.true(isRight('eve bob nil ann', 'general-practitioner'));
  t.true(isRight('bob eve nil ann', '-general-practitioner'));
  t.false(isRight('bob eve ann nil', 'general-practitioner'));
});

test('a further key orders what the ones before leave equal', (t) => {
  t.true(isRight('eve bob nil ann', 'general-practitioner,-_id'));
  t.false(isRight('eve bob ann nil', 'general-practitioner,-_id'));
});
