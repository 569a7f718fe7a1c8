import test from 'ava';
import { validateResource } from '../../../src/fhir/validate/validate.js';
import { RIGHT, WRONG } from './cases.js';

const PATIENT = 'http://hl7.org/fhir/StructureDefinition/Patient';
const narrated = {
  resourceType: 'Patient',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
};

for (const [name, resource] of Object.entries(RIGHT)) {
  test(`no error in full mode: ${name}`, (t) => {
    const issues = validateResource(resource, { mode: 'full' });
    t.deepEqual(
      issues.filter(({ severity }) => severity !== 'warning'),
      [],
    );
  });
}

for (const [name, { resource, severity, code }] of Object.entries(WRONG)) {
  test(`told first in full mode: ${name}`, (t) => {
    t.like(validateResource(resource, { mode: 'full' })[0], { severity, code });
  });
}

test('structure mode evaluates no invariant', (t) => {
  t.deepEqual(
    validateResource({ resourceType: 'Patient', contact: [{ gender: 'male' }] }, { mode: 'structure' }),
    [],
  );
});

test('invariants are not evaluated on a resource whose structure is wrong', (t) => {
  const resource = { resourceType: 'Patient', contact: [{ gender: 'male' }], foo: 1 };
  t.deepEqual(
    validateResource(resource, { mode: 'full' }).map(({ code }) => code),
    ['structure'],
  );
});

test('an unknown profile is a warning', (t) => {
  const [issue] = validateResource(narrated, { mode: 'full', profile: 'http://example.org/p' });
  t.like(issue, { severity: 'warning', code: 'not-found' });
});

test("a base definition is a profile: the type's own and those above it", (t) => {
  for (const profile of [
    PATIENT,
    `${PATIENT}|4.0.1`,
    'http://hl7.org/fhir/StructureDefinition/DomainResource',
  ]) {
    t.deepEqual(validateResource(narrated, { mode: 'full', profile }), []);
  }
});

test('the definition of another type is an error', (t) => {
  const profile = 'http://hl7.org/fhir/StructureDefinition/Observation';
  t.like(validateResource(narrated, { mode: 'structure', profile })[0], {
    severity: 'error',
    code: 'invalid',
  });
  t.is(validateResource(null, { mode: 'full', profile }).length, 2);
});
