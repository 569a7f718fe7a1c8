import test from 'ava';
import { extractIndexValues } from '../../src/fhir/extract.js';
import { UNNAMED_TARGET } from '../../src/fhir/index-values.js';
import { registry, rows } from './index-rows.js';

function subjectRows(reference: string): unknown[] {
  return rows({ resourceType: 'Observation', subject: { reference } }, 'references', 'subject');
}

test('the identifier and the version of a reference have rows of their own', (t) => {
  const subject = { reference: 'Patient/1/_history/2', identifier: { system: 'urn:i', value: 'x' } };
  const observation = { resourceType: 'Observation', subject };
  const found = [{ system: 'urn:i', value: 'x' }];
  t.deepEqual(rows(observation, 'tokens', 'subject#identifier'), found);
  t.deepEqual(rows(observation, 'tokens', 'subject#identifier:Patient'), found);
  const { identifier } = subject;
  const unnamed = {
    resourceType: 'Observation',
    subject: { identifier },
    focus: [{ type: 'Group', identifier }],
  };
  t.deepEqual(rows(unnamed, 'tokens', 'subject#identifier:'), found);
  t.deepEqual(rows(unnamed, 'tokens', 'focus#identifier:Group'), found);
  const invented = { resourceType: 'Observation', subject: { type: 'Invented', identifier } };
  t.deepEqual(rows(invented, 'tokens', 'subject#identifier:'), found);
  t.deepEqual(rows(observation, 'uris', 'subject#version'), [{ value: 'Patient/1/_history/2' }]);
});

test('references are local, elsewhere, or not indexed', (t) => {
  const local = [{ type: 'Patient', id: '1', url: null }];
  t.deepEqual(subjectRows('Patient/1'), local);
  t.deepEqual(subjectRows('Patient/1/_history/2'), local);
  t.deepEqual(subjectRows('https://x.example/fhir/Patient/1/_history/2'), [
    { type: null, id: null, url: 'https://x.example/fhir/Patient/1' },
  ]);
  t.deepEqual(subjectRows('urn:uuid:1'), [{ type: null, id: null, url: 'urn:uuid:1' }]);
});

test('a reference that names no target still counts as a value', (t) => {
  const unnamed = [{ type: null, id: null, url: UNNAMED_TARGET }];
  const subjects = [{ reference: '#contained' }, { identifier: { value: '1' } }, { display: 'Somebody' }];
  for (const subject of subjects) {
    t.deepEqual(rows({ resourceType: 'Observation', subject }, 'references', 'subject'), unnamed);
  }
});

test('an absolute URL of this server is a local reference', (t) => {
  const base = 'https://here.example/fhir/';
  const toLocal = (url: string) => (url === `${base}Patient/1` ? { type: 'Patient', id: '1' } : null);
  const resource = {
    resourceType: 'Observation',
    subject: { reference: `${base}Patient/1` },
    focus: [{ reference: 'http://a.example/Patient/1' }],
  };
  t.deepEqual(extractIndexValues(resource, registry, toLocal).references, [
    { path: 'subject', type: 'Patient', id: '1', url: null },
    { path: 'focus', type: null, id: null, url: 'http://a.example/Patient/1' },
  ]);
});

test('a document is found by the resource that it begins with, which need not be stored besides', (t) => {
  const entry = [{ resource: { resourceType: 'Composition', id: 'c' } }];
  t.deepEqual(rows({ resourceType: 'Bundle', type: 'document', entry }, 'references', 'entry[0].resource'), [
    { type: null, id: null, url: 'Composition/c' },
  ]);
});

test('a canonical is a URL with its version', (t) => {
  const response = { resourceType: 'QuestionnaireResponse', questionnaire: 'http://x.example/Q|2' };
  t.deepEqual(rows(response, 'references', 'questionnaire'), [
    { type: null, id: null, url: 'http://x.example/Q|2' },
  ]);
});
