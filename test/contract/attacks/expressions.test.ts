import test from 'ava';
import type { Patient } from 'fhir/r4.js';
import { validateInvariants } from '../../../src/fhir/validate/invariants.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ contents: 'search-parameters', partitions: ['acme'] });
const root = new FhirClient(server.url);
const acme = root.tenant('acme');
test.after.always(() => server.stop());

const SOON_MS = 5_000;
const MANY = 3_000;

function large(): Patient & { id: string } {
  const name = Array.from({ length: MANY }, (_, index) => ({ family: `f${index}`, given: ['a', 'b'] }));
  return { resourceType: 'Patient', id: 'large', name };
}

test.before(async () => {
  await acme.put('Patient/large', large());
});

function patchOf(path: string): object {
  const part = [
    { name: 'type', valueCode: 'delete' },
    { name: 'path', valueString: path },
  ];
  return { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] };
}

const COSTLY = [
  'Patient.name.where(family.empty()) | Patient.name | Patient.name',
  `Patient.name.where(${'('.repeat(100)}family = 'x'${')'.repeat(100)})`,
  Array.from({ length: 60 }, () => 'Patient.name.given').join(' | '),
  'Patient.name.where(given.where($this = given).exists())',
  'Patient.name.all(given.all(($this | given).count() > 0)).not()',
];

const REFUSED = [
  'Patient.repeat(name)',
  'Patient.descendants()',
  'Patient.name.select(%resource.name)',
  '%resource.descendants()',
  "Patient.name.family.matches('^(a+)+$')",
  "Patient.name.family.replaceMatches('(a+)+', '')",
  'Patient.name.aggregate($total + $this)',
  'Patient.name[99999999999999999999]',
  'resolve()',
  `Patient${'.name'.repeat(300)}`,
];

for (const path of COSTLY) {
  test.serial(`attack 98: a patch by ${path.slice(0, 60)} ends soon`, async (t) => {
    const begin = performance.now();
    const { status, text } = await acme.send('PATCH', 'Patient/large', { body: patchOf(path) });
    t.true(status >= 200 && status < 500, `${status} ${text.slice(0, 200)}`);
    t.true(performance.now() - begin < SOON_MS);
    t.is((await acme.get<Patient>('Patient/large')).body.name?.length, MANY);
  });
}

for (const path of REFUSED) {
  test.serial(`attack 98: a patch by ${path.slice(0, 60)} is refused`, async (t) => {
    const begin = performance.now();
    const { status, text } = await acme.send('PATCH', 'Patient/large', { body: patchOf(path) });
    t.true(status === 400 || status === 422 || status === 200, `${status} ${text.slice(0, 200)}`);
    t.true(performance.now() - begin < SOON_MS);
    t.is((await acme.get<Patient>('Patient/large')).body.name?.length, MANY);
  });
}

test.serial('attack 98: a JSON Patch that copies and moves without end is bounded', async (t) => {
  const grow = Array.from({ length: 30 }, (_, index) => ({
    op: 'copy',
    from: '/name',
    path: `/name/${index}/x`,
  }));
  assertError(t, await acme.send('PATCH', 'Patient/large', { body: grow }), 400, 'LIMIT_EXCEEDED');
  const moves = Array.from({ length: 1_001 }, () => ({ op: 'move', from: '/name/0', path: '/name/2000' }));
  assertError(t, await acme.send('PATCH', 'Patient/large', { body: moves }), 400, 'LIMIT_EXCEEDED');
});

test.serial('attack 98: an expression of a SearchParameter has its time, and no more', async (t) => {
  for (const expression of [
    'Patient.descendants().where($this is string).descendants()',
    'Patient.repeat(name | contact | descendants())',
    'Patient.name.where(%resource.name.where(family = %context.name.family).count() > 1).family',
  ]) {
    const parameter = {
      resourceType: 'SearchParameter',
      id: 'costly',
      status: 'active',
      name: 'costly',
      description: 'x',
      url: 'urn:costly',
      code: 'costly',
      base: ['Patient'],
      type: 'string',
      expression,
    };
    const { status, text } = await root.put('SearchParameter/costly', parameter);
    t.true(status < 500, text.slice(0, 200));
    const begin = performance.now();
    t.true((await acme.put('Patient/large', large())).status < 500);
    t.true(performance.now() - begin < SOON_MS, expression);
  }
});

test('attack 98: invariants of a resource that is made to cost are given up in time', (t) => {
  const contained = Array.from({ length: 300 }, (_, index) => ({
    resourceType: 'Observation',
    id: `o${index}`,
    status: 'final',
    code: { text: 'x' },
    component: Array.from({ length: 5 }, () => ({ code: { text: 'x' }, valueString: 'x' })),
  }));
  const begin = performance.now();
  const issues = validateInvariants({ resourceType: 'Patient', contained });
  t.true(performance.now() - begin < SOON_MS);
  t.true(issues.length > 0);
});
