import test from 'ava';
import { rows } from './index-rows.js';

function deceasedRows(resource: object): unknown[] {
  return rows({ resourceType: 'Patient', ...resource }, 'tokens', 'deceased.exists() and deceased!=false');
}

test('a concept is indexed by each of its codings, and not by its text', (t) => {
  const code = {
    coding: [{ system: 'urn:a', code: '1' }, { code: '2' }, { system: 'urn:b' }],
    text: 'words',
  };
  t.deepEqual(rows({ resourceType: 'Observation', code }, 'tokens', 'code'), [
    { system: 'urn:a', value: '1' },
    { system: null, value: '2' },
    { system: 'urn:b', value: '' },
  ]);
});

test('a concept of text only has a value without a code', (t) => {
  const code = { text: 'words' };
  t.deepEqual(rows({ resourceType: 'Observation', code }, 'tokens', 'code'), [{ system: null, value: '' }]);
});

test('the words beside a code are indexed apart from it', (t) => {
  const code = {
    coding: [
      { code: '1', display: 'Kopfschmérz' },
      { code: '2', display: 'KOPFSCHMERZ' },
    ],
    text: 'Ache',
  };
  t.deepEqual(rows({ resourceType: 'Observation', code }, 'strings', 'code#text'), [
    { normalized: 'kopfschmerz', exact: '' },
    { normalized: 'ache', exact: '' },
  ]);
});

test('an identifier is indexed by its types, where it has them', (t) => {
  const type = {
    coding: [{ system: 'urn:t', code: 'MR' }, { code: 'X' }, { system: 'urn:t' }],
    text: 'Record',
  };
  const patient = { resourceType: 'Patient', identifier: [{ value: '1', type }, { type }] };
  t.deepEqual(rows(patient, 'tokens', 'identifier#of-type'), [
    { system: 'urn:t', value: 'MR|1' },
    { system: null, value: 'X|1' },
  ]);
  t.deepEqual(rows(patient, 'strings', 'identifier#text'), [{ normalized: 'record', exact: '' }]);
});

test('an identifier is indexed by system and value', (t) => {
  const identifier = [{ system: 'urn:i', value: 'x' }, { value: 'y' }, { system: 'urn:only' }];
  t.deepEqual(rows({ resourceType: 'Patient', identifier }, 'tokens', 'identifier'), [
    { system: 'urn:i', value: 'x' },
    { system: null, value: 'y' },
    { system: 'urn:only', value: '' },
  ]);
});

test('a code that is bound to one code system has that system', (t) => {
  t.deepEqual(rows({ resourceType: 'Patient', gender: 'male' }, 'tokens', 'gender'), [
    { system: 'http://hl7.org/fhir/administrative-gender', value: 'male' },
  ]);
});

test('a contact point is indexed by its value alone, on the paths whose filter it passes', (t) => {
  const patient = {
    resourceType: 'Patient',
    telecom: [
      { system: 'phone', value: '12' },
      { system: 'email', value: 'a@b' },
    ],
  };
  t.deepEqual(rows(patient, 'tokens', 'telecom'), [
    { system: null, value: '12' },
    { system: null, value: 'a@b' },
  ]);
  t.deepEqual(rows(patient, 'tokens', "telecom.where(system='phone')"), [{ system: null, value: '12' }]);
});

test('booleans are tokens without a system', (t) => {
  t.deepEqual(rows({ resourceType: 'Patient', active: false }, 'tokens', 'active'), [
    { system: null, value: 'false' },
  ]);
});

test('who has a date of death is deceased, and who has no statement is not', (t) => {
  t.deepEqual(deceasedRows({ deceasedDateTime: '2020' }), [{ system: null, value: 'true' }]);
  t.deepEqual(deceasedRows({ deceasedBoolean: true }), [{ system: null, value: 'true' }]);
  t.deepEqual(deceasedRows({ deceasedBoolean: false }), [{ system: null, value: 'false' }]);
  t.deepEqual(deceasedRows({}), [{ system: null, value: 'false' }]);
});
