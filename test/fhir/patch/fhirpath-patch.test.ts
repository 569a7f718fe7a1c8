import test from 'ava';
import { parseJson, stringifyJson } from '../../../src/fhir/json.js';
import { applyFhirPathPatch } from '../../../src/fhir/patch/fhirpath-patch.js';
import type { Resource } from '../../../src/model/resource.js';
import { add, insert, move, patched, type Part, remove, replace } from './fhirpath-operations.js';

const ids = (...values: string[]) => values.map((value) => ({ value }));

const results: readonly (readonly [
  title: string,
  before: object,
  operations: readonly Part[],
  after: object,
])[] = [
  [
    'add sets a primitive',
    {},
    [add('Patient', 'birthDate', { valueDate: '1930-01-01' })],
    { birthDate: '1930-01-01' },
  ],
  [
    'add sets a choice by its type',
    {},
    [add('Patient', 'deceased', { valueBoolean: true })],
    { deceasedBoolean: true },
  ],
  [
    'add takes a choice by its JSON name',
    {},
    [add('Patient', 'deceasedDateTime', { valueDateTime: '2020' })],
    { deceasedDateTime: '2020' },
  ],
  [
    'add sets a datatype',
    {},
    [add('Patient', 'maritalStatus', { valueCodeableConcept: { text: 'x' } })],
    { maritalStatus: { text: 'x' } },
  ],
  [
    'add begins a list',
    {},
    [add('Patient', 'identifier', { valueIdentifier: { value: 'x' } })],
    { identifier: ids('x') },
  ],
  [
    'add appends to a list',
    { identifier: ids('a') },
    [add('Patient', 'identifier', { valueIdentifier: { value: 'b' } })],
    { identifier: ids('a', 'b') },
  ],
  [
    'add puts a nested primitive where the path leads',
    { contact: [{ gender: 'male' }, {}] },
    [
      add("Patient.contact[0].where(gender = 'male')", 'organization', {
        valueReference: { reference: 'Organization/1' },
      }),
    ],
    { contact: [{ gender: 'male', organization: { reference: 'Organization/1' } }] },
  ],
  [
    'add builds a value without a type from its parts',
    {},
    [
      add('Patient', 'contact', {
        part: [
          { name: 'name', valueHumanName: { text: 'a name' } },
          { name: 'telecom', valueContactPoint: { value: '1' } },
          { name: 'telecom', valueContactPoint: { value: '2' } },
          { name: 'gender', valueCode: 'male' },
        ],
      }),
    ],
    { contact: [{ name: { text: 'a name' }, telecom: [{ value: '1' }, { value: '2' }], gender: 'male' }] },
  ],
  [
    'parts of parts and lists of one are built as the definition has them',
    {},
    [
      add('Patient', 'contact', {
        part: [
          {
            name: 'name',
            part: [
              { name: 'given', valueString: 'G' },
              { name: 'family', valueString: 'F' },
            ],
          },
        ],
      }),
    ],
    { contact: [{ name: { given: ['G'], family: 'F' } }] },
  ],
  [
    'add puts an extension on a primitive',
    { birthDate: '2000', name: [{ given: ['a', 'b', 'c'] }] },
    [
      add('Patient.birthDate', 'extension', { valueExtension: { url: 'u', valueString: 'x' } }),
      add('Patient.name.given[1]', 'extension', { valueExtension: { url: 'u', valueString: 'y' } }),
    ],
    {
      birthDate: '2000',
      _birthDate: { extension: [{ url: 'u', valueString: 'x' }] },
      name: [
        { given: ['a', 'b', 'c'], _given: [null, { extension: [{ url: 'u', valueString: 'y' }] }, null] },
      ],
    },
  ],
  [
    'a value may be an extension alone',
    {},
    [add('Patient', 'birthDate', { _valueDate: { extension: [{ url: 'u', valueCode: 'unknown' }] } })],
    { _birthDate: { extension: [{ url: 'u', valueCode: 'unknown' }] } },
  ],
  [
    'add takes a resource to contain',
    {},
    [add('Patient', 'contained', { resource: { resourceType: 'Organization', id: 'o' } })],
    { contained: [{ resourceType: 'Organization', id: 'o' }] },
  ],
  [
    'add reaches into contained resources',
    { contained: [{ resourceType: 'Observation', id: 'o' }] },
    [add('Patient.contained[0]', 'value', { valueString: 'x' })],
    { contained: [{ resourceType: 'Observation', id: 'o', valueString: 'x' }] },
  ],
  [
    'insert puts items at, between and after the ends',
    { identifier: ids('a', 'b') },
    [
      insert('Patient.identifier', 0, { valueIdentifier: { value: 'x' } }),
      insert('Patient.identifier', 2, { valueIdentifier: { value: 'y' } }),
      insert('Patient.identifier', 4, { valueIdentifier: { value: 'z' } }),
    ],
    { identifier: ids('x', 'a', 'y', 'b', 'z') },
  ],
  [
    'insert begins a list',
    {},
    [insert('Patient.identifier', 0, { valueIdentifier: { value: 'x' } })],
    { identifier: ids('x') },
  ],
  [
    'insert keeps what stands beside primitives in step',
    { name: [{ given: ['a', 'b'], _given: [null, { id: 'i' }] }] },
    [insert('Patient.name[0].given', 1, { valueString: 'x' })],
    { name: [{ given: ['a', 'x', 'b'], _given: [null, null, { id: 'i' }] }] },
  ],
  [
    'delete takes a primitive with what stands beside it',
    { birthDate: '2000', _birthDate: { id: 'x' } },
    [remove('Patient.birthDate')],
    {},
  ],
  ['delete takes a choice', { deceasedBoolean: true }, [remove('Patient.deceased')], {}],
  [
    'delete of nothing is no error',
    { active: true },
    [remove('Patient.birthDate'), remove("Patient.name.where(use='old')")],
    { active: true },
  ],
  [
    'delete takes an item',
    { identifier: ids('a', 'b', 'c') },
    [remove('Patient.identifier[1]')],
    { identifier: ids('a', 'c') },
  ],
  [
    'delete finds items by what they say',
    { identifier: ids('a', 'b') },
    [remove("Patient.identifier.where(value = 'b')")],
    { identifier: ids('a') },
  ],
  [
    'a list or object that delete emptied is gone',
    { contact: [{ gender: 'male' }], identifier: ids('a') },
    [remove('Patient.contact[0].gender'), remove('Patient.identifier[0]')],
    {},
  ],
  [
    'delete takes an extension by its url',
    {
      extension: [
        { url: 'a', valueString: '1' },
        { url: 'b', valueString: '2' },
      ],
    },
    [remove("Patient.extension('a')")],
    { extension: [{ url: 'b', valueString: '2' }] },
  ],
  [
    'replace changes a primitive',
    { birthDate: '1920' },
    [replace('Patient.birthDate', { valueDate: '1930' })],
    { birthDate: '1930' },
  ],
  [
    'replace changes the type of a choice',
    { deceasedBoolean: true, active: true },
    [replace('Patient.deceased', { valueDateTime: '2020' })],
    { active: true, deceasedDateTime: '2020' },
  ],
  [
    'replace changes the value of an extension',
    { extension: [{ url: 'a', valueString: '1' }] },
    [replace("Patient.extension('a').value", { valueCode: 'c' })],
    { extension: [{ url: 'a', valueCode: 'c' }] },
  ],
  [
    'replace changes an item in place',
    { name: [{ given: ['a', 'b', 'c'] }] },
    [replace('Patient.name.given[1]', { valueString: 'x' })],
    { name: [{ given: ['a', 'x', 'c'] }] },
  ],
  [
    'replace builds an anonymous value from parts',
    { contact: [{ gender: 'male' }] },
    [replace('Patient.contact[0]', { part: [{ name: 'gender', valueCode: 'female' }] })],
    { contact: [{ gender: 'female' }] },
  ],
  [
    'move moves towards the end',
    { identifier: ids('a', 'b', 'c', 'd') },
    [move('Patient.identifier', 0, 2)],
    { identifier: ids('b', 'c', 'a', 'd') },
  ],
  [
    'move moves towards the start',
    { identifier: ids('a', 'b', 'c', 'd') },
    [move('Patient.identifier', 3, 1)],
    { identifier: ids('a', 'd', 'b', 'c') },
  ],
  [
    'operations see what those before them did',
    {},
    [
      add('Patient', 'name', { valueHumanName: { family: 'a' } }),
      replace('Patient.name[0].family', { valueString: 'b' }),
    ],
    { name: [{ family: 'b' }] },
  ],
  ['an empty patch changes nothing', { active: true }, [], { active: true }],
];

for (const [title, before, operations, after] of results) {
  test(title, (t) => t.deepEqual(patched(before, ...operations), after));
}

test('strings in a path may contain anything', (t) => {
  const name = [{ family: 'a.matches(%x) // "' }, { family: "it's" }];
  t.deepEqual(patched({ name }, remove("Patient.name.where(family = 'a.matches(%x) // \"')")), {
    name: [name[1]],
  });
  t.deepEqual(patched({ name }, remove("Patient.name.where(family = 'it\\'s')")), { name: [name[0]] });
});

test('number texts of what is untouched and of the patch stay', (t) => {
  const source =
    '{"resourceType":"Observation","component":[{"valueQuantity":{"value":1.00}}],"valueQuantity":{"value":2.0,"unit":"g"}}';
  const patch = JSON.stringify({
    resourceType: 'Parameters',
    parameter: [
      replace('Observation.value.value', { valueDecimal: '#' }),
      replace('Observation.component[0].value', { valueQuantity: { value: '##' } }),
    ],
  });
  const parameters = parseJson(patch.replace('"##"', '4.50').replace('"#"', '3.00'));
  t.is(
    stringifyJson(applyFhirPathPatch(parseJson(source) as Resource, parameters)),
    '{"resourceType":"Observation","component":[{"valueQuantity":{"value":4.50}}],"valueQuantity":{"value":3.00,"unit":"g"}}',
  );
});
