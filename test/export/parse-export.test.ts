import test from 'ava';
import { parseExport, type ParseExportContext } from '../../src/export/parse-export.js';
import type { QueryParameter } from '../../src/model/request.js';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const SYSTEM: ParseExportContext = {
  level: { kind: 'system' },
  handling: 'strict',
  base: 'http://localhost/fhir/acme',
  method: 'GET',
  now: NOW,
};
const GROUP: ParseExportContext = { ...SYSTEM, level: { kind: 'group', id: 'g' }, method: 'POST' };

function parse(context: Partial<ParseExportContext>, ...parameters: readonly QueryParameter[]) {
  return parseExport(parameters, { ...SYSTEM, ...context });
}

test('nothing asks for everything', (t) => {
  t.deepEqual(parse({}), {
    level: { kind: 'system' },
    types: null,
    since: null,
    before: null,
    filters: [],
    elements: [],
    patients: null,
    associated: [],
    partialManifests: false,
    organizeBy: null,
    issues: [],
  });
});

test('every name of the format is taken, with its plus sign as a space too', (t) => {
  const formats = ['application/fhir+ndjson', 'application/fhir ndjson', 'application/ndjson', 'ndjson'];
  for (const format of formats) t.notThrows(() => parse({}, ['_outputFormat', format]));
  t.throws(() => parse({}, ['_outputFormat', 'text/csv']), { message: /_outputFormat 'text\/csv'/ });
  t.throws(() => parse({ handling: 'lenient' }, ['_outputFormat', 'text/csv']));
});

test('lists are repeated or have commas', (t) => {
  t.deepEqual(parse({}, ['_type', 'Patient,Observation'], ['_type', 'Patient'], ['_type', 'Device']).types, [
    'Patient',
    'Observation',
    'Device',
  ]);
});

test('an instant is itself what was exported before, a day begins with its first millisecond', (t) => {
  const at = '2026-05-01T10:00:00.123+02:00';
  t.is(parse({}, ['_since', at]).since, Date.parse(at));
  t.is(parse({}, ['_since', at.replace('+', ' ')]).since, Date.parse(at));
  t.is(parse({}, ['_since', '2026-05-01']).since, Date.parse('2026-05-01') - 1);
  t.is(parse({}, ['_until', at]).before, Date.parse(at));
  t.throws(() => parse({}, ['_since', 'yesterday']), { message: /_since 'yesterday'/ });
  t.throws(() => parse({}, ['_since', '2027-01-01T00:00:00Z']), { message: /future/ });
  t.throws(() => parse({}, ['_since', at], ['_until', '2026-01-01T00:00:00Z']), { message: /_until/ });
});

test('a comma is between filters only in front of another type', (t) => {
  const two = 'Observation?status=final,amended&code=x,MedicationRequest?status=active';
  t.deepEqual(parse({}, ['_typeFilter', two]).filters, [
    { type: 'Observation', query: 'status=final,amended&code=x' },
    { type: 'MedicationRequest', query: 'status=active' },
  ]);
  const encoded = two.split(/,(?=M)/).map(encodeURIComponent);
  t.deepEqual(parse({}, ['_typeFilter', encoded.join(',')]).filters, parse({}, ['_typeFilter', two]).filters);
});

test('a filter is a search of one type that is exported', (t) => {
  const bad = ['status=final', '?status=final', 'Patient/1/Observation?status=final', 'Nothing?status=final'];
  for (const filter of bad) t.throws(() => parse({}, ['_typeFilter', filter]), { message: /_typeFilter/ });
  const stranger: readonly QueryParameter[] = [
    ['_type', 'Patient'],
    ['_typeFilter', 'Observation?status=final'],
  ];
  t.throws(() => parse({}, ...stranger), { message: /_typeFilter is about Observation/ });
  const lenient = parse({ handling: 'lenient' }, ...stranger);
  t.deepEqual([lenient.filters, lenient.issues.length], [[], 1]);
});

test('what is not known is refused by its name, or left out with a warning', (t) => {
  const unknown: readonly QueryParameter[] = [
    ['_typo', 'x'],
    ['_type', 'Nothing'],
    ['includeAssociatedData', '_custom'],
    ['organizeOutputBy', 'Organization'],
    ['patient', 'Patient/1'],
  ];
  for (const parameter of unknown)
    t.throws(() => parse({}, parameter), { message: new RegExp(parameter[0]) }, parameter.join());
  const { types, issues } = parse({ handling: 'lenient' }, ...unknown, ['_type', 'Patient']);
  t.deepEqual(types, ['Patient']);
  t.deepEqual(
    issues.map(({ severity, code }) => [severity, code]),
    unknown.map(() => ['warning', 'not-supported']),
  );
  t.throws(() => parse({ handling: 'lenient' }, ['_type', 'Nothing']), { message: /_type/ });
});

test('what is given once is not given again', (t) => {
  const again: readonly QueryParameter[] = [
    ['_since', '2026'],
    ['_since', '2025'],
  ];
  t.throws(() => parse({}, ...again), { message: /'_since' was given more than once/ });
});

test('beside patients and groups only what belongs to patients is exported', (t) => {
  t.throws(() => parse(GROUP, ['_type', 'Organization']), { message: /Organization/ });
  t.throws(() => parse(GROUP, ['_typeFilter', 'Organization?active=true']), { message: /Organization/ });
  t.deepEqual(parse(GROUP, ['_type', 'Patient,Group,Observation']).types, [
    'Patient',
    'Group',
    'Observation',
  ]);
});

test('patients are named in a body, as references of this server', (t) => {
  const { patients } = parse(
    GROUP,
    ['patient', 'Patient/1'],
    ['patient', `${SYSTEM.base}/Patient/2`],
    ['patient', 'Patient/1'],
  );
  t.deepEqual(patients, ['1', '2']);
  t.throws(() => parse({ ...GROUP, method: 'GET' }, ['patient', 'Patient/1']), { message: /POST/ });
  for (const bad of ['1', 'Group/1', 'http://elsewhere/fhir/Patient/1'])
    t.throws(() => parse(GROUP, ['patient', bad]), { message: /patient/ });
});

test('elements are those at the root of what is exported', (t) => {
  t.deepEqual(parse({}, ['_elements', 'id,Patient.name'], ['_elements', 'Observation.value']).elements, [
    'id',
    'Patient.name',
    'Observation.value',
  ]);
  for (const bad of ['Patient.nme', 'Patient.name.family', 'nothing', 'Observation.birthDate'])
    t.throws(() => parse({}, ['_elements', bad]), { message: /_elements/ }, bad);
  t.throws(() => parse({}, ['_type', 'Patient'], ['_elements', 'status']), { message: /'status'/ });
});

test('output by patients has what belongs to them, and goes with nothing that could not be', (t) => {
  const organized: QueryParameter = ['organizeOutputBy', 'Patient'];
  t.is(parse({}, organized).organizeBy, 'Patient');
  for (const other of [
    ['_type', 'Organization'],
    ['allowPartialManifests', 'true'],
    ['includeAssociatedData', 'LatestProvenanceResources'],
  ] as const)
    t.throws(() => parse({}, organized, other), { message: new RegExp(other[0]) });
});
