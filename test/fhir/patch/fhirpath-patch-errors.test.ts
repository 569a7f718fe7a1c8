import test from 'ava';
import { applyFhirPathPatch } from '../../../src/fhir/patch/fhirpath-patch.js';
import { FhirError } from '../../../src/model/errors.js';
import { add, insert, move, operation, patched, type Part, remove, replace } from './fhirpath-operations.js';

const errors: readonly (readonly [title: string, operation: Part, status: number, message: RegExp])[] = [
  ['an unknown operation is malformed', operation('upsert', 'Patient'), 400, /must be add, insert/],
  ['a parameter of another name is malformed', { name: 'x' }, 400, /named operation/],
  ['an operation without parts is malformed', { name: 'operation' }, 400, /path of operation 0 is missing/],
  [
    'an operation with two paths is malformed',
    operation('delete', 'Patient.name', { name: 'path', valueString: 'x' }),
    400,
    /more than one path/,
  ],
  [
    'add needs a name',
    operation('add', 'Patient', { name: 'value', valueString: 'x' }),
    400,
    /name of operation 0/,
  ],
  ['add needs a value', operation('add', 'Patient', { name: 'name', valueString: 'x' }), 400, /no value/],
  ['a value needs content', add('Patient', 'contact', {}), 400, /value is empty/],
  [
    'an index is an integer',
    operation('insert', 'Patient.name', { name: 'index', valueInteger: -1 }),
    400,
    /integer from 0/,
  ],
  ['a path that is no FHIRPath is refused', remove('Patient..name'), 400, /cannot be evaluated/],
  ['a path that leads to a computed value is refused', remove('1 + 1'), 400, /leads to no element/],
  ['a path cannot call resolve', remove('Patient.generalPractitioner.resolve()'), 400, /may not use resolve/],
  [
    'a path cannot run regular expressions',
    remove("Patient.name.where(family.matches('(a+)+$'))"),
    400,
    /may not use matches/,
  ],
  ['a path cannot use variables', remove('%context.name'), 400, /may not use %context/],
  ['a path cannot use __proto__', remove('Patient.__proto__'), 400, /__proto__/],
  [
    'a path of several thousand characters is refused',
    remove(`Patient${'.name'.repeat(1000)}`),
    400,
    /more than 1000/,
  ],
  ['add needs one target', add('Patient.contact', 'gender', { valueCode: 'male' }), 422, /finds 2 elements/],
  ['add needs a target', add('Patient.photo[0]', 'title', { valueString: 'x' }), 422, /finds no element/],
  ['add does not overwrite', add('Patient', 'gender', { valueCode: 'male' }), 422, /there already/],
  [
    'add does not set a choice twice',
    add('Patient', 'deceased', { valueDateTime: '2020' }),
    422,
    /there already/,
  ],
  ['add knows the elements', add('Patient', 'nonsense', { valueString: 'x' }), 422, /no element nonsense/],
  [
    'add knows the types of a choice',
    add('Patient', 'deceased', { valueString: 'x' }),
    422,
    /no element deceased of type String/,
  ],
  ['__proto__ is no element', add('Patient', '__proto__', { valueString: 'x' }), 422, /no element __proto__/],
  [
    'insert stays inside the list',
    insert('Patient.contact', 3, { part: [{ name: 'gender', valueCode: 'male' }] }),
    422,
    /no place/,
  ],
  ['insert needs a list', insert('Patient.gender', 0, { valueCode: 'male' }), 422, /no list/],
  [
    'insert needs one list',
    insert('Patient.contact.telecom', 0, { valueContactPoint: {} }),
    422,
    /more than one list/,
  ],
  ['delete takes one element', remove('Patient.contact'), 422, /finds 2 elements/],
  [
    'replace needs something there',
    replace('Patient.birthDate', { valueDate: '2000' }),
    422,
    /finds no element/,
  ],
  [
    'replace needs one element',
    replace('Patient.contact.gender', { valueCode: 'male' }),
    422,
    /finds 2 elements/,
  ],
  [
    'the resource as a whole stays',
    replace('Patient', { resource: { resourceType: 'Patient', id: 'a' } }),
    422,
    /as a whole/,
  ],
  ['move stays inside the list', move('Patient.contact', 0, 2), 422, /2 items only/],
  ['move needs a list', move('Patient.gender', 0, 0), 422, /no list/],
  ['the id cannot change', replace('Patient.id', { valueId: 'b' }), 422, /cannot change the id/],
  ['the id cannot go', remove('Patient.id'), 422, /cannot change the id/],
];

const patient = {
  gender: 'female',
  deceasedBoolean: false,
  contact: [
    { gender: 'male', telecom: [{ value: '1' }] },
    { gender: 'female', telecom: [{ value: '2' }] },
  ],
};

for (const [title, wrong, status, message] of errors) {
  test(title, (t) => {
    const error = t.throws(() => patched(patient, wrong), { instanceOf: FhirError });
    t.is(error.status, status);
    t.regex(error.message, message);
  });
}

const hidden: readonly string[] = [
  "Patient.name.where(true and (family).matches('x'))",
  "Patient.name.where(family.matches/**/('x'))",
  "Patient.name.where(family.matches //\n('x'))",
  "Patient.name.where(family.`matches`('x'))",
  "Patient.name.where(family.replaceMatches ('x', 'y') = `'`)",
  "Patient.`'`.where(family.matches('x'))",
  'Patient.repeat(contact)',
  'Patient.descendants()',
];

for (const path of hidden) {
  test(`a call cannot hide in ${JSON.stringify(path)}`, (t) => {
    const error = t.throws(() => patched(patient, remove(path)), { instanceOf: FhirError });
    t.regex(error.message, /may not use/);
  });
}

test('a patch is a Parameters resource', (t) => {
  for (const patch of [
    undefined,
    [],
    { resourceType: 'Bundle' },
    { resourceType: 'Parameters', parameter: 'x' },
  ]) {
    const error = t.throws(() => applyFhirPathPatch({ resourceType: 'Patient' }, patch), {
      instanceOf: FhirError,
    });
    t.is(error.status, 400);
  }
});
