import test from 'ava';
import { structureDefinitions } from '../../../src/fhir/definitions.js';
import { MAX_NODES, validateInvariants } from '../../../src/fhir/validate/invariants.js';
import { NOT_EVALUATED } from '../../../src/fhir/validate/rules.js';
import type { OutcomeIssue, Resource } from '../../../src/model/resource.js';
import { WRONG } from './cases.js';
import { fastest } from '../../support/fastest.js';

const brokenIn = (resource: Resource): readonly string[] =>
  validateInvariants(resource)
    .filter(({ severity }) => severity === 'error')
    .map(({ diagnostics }) => /: ([a-z0-9-]+): /.exec(diagnostics ?? '')?.[1] ?? diagnostics ?? '');
const patient = (elements: object): Resource => ({ resourceType: 'Patient', ...elements });

for (const [name, { resource, path, mode }] of Object.entries(WRONG)) {
  if (mode === 'structure') continue;
  test(`wrong: ${name}`, (t) => {
    const [issue] = validateInvariants(resource as Resource);
    t.like(issue, { severity: 'error', code: 'invariant', expression: [path] });
  });
}

test('a broken best practice is a warning', (t) => {
  const issues = validateInvariants(patient({}));
  t.is(issues.length, 1);
  t.like(issues[0], { severity: 'warning', code: 'invariant', expression: ['Patient'] });
  t.regex(issues[0]?.diagnostics ?? '', /dom-6/);
});

test("a datatype's own invariants are evaluated wherever it is used", (t) => {
  const identifier = [{ period: { start: '2020-02-01', end: '2020-01-01' }, value: '1' }];
  const issues = validateInvariants(patient({ identifier }));
  t.deepEqual(issues[0]?.expression, ['Patient.identifier[0].period']);
  t.deepEqual(brokenIn(patient({ telecom: [{ value: '1' }] })), ['cpt-2']);
});

test('dates that cannot be compared break no invariant', (t) => {
  t.deepEqual(
    brokenIn(patient({ identifier: [{ value: '1', period: { start: '2020-01', end: '2020-01-01' } }] })),
    [],
  );
});

const group = (linkId: string, item: readonly object[]): object => ({ linkId, type: 'group', item });

test('the rules of an element hold for content that refers to it', (t) => {
  const display = { linkId: '3', type: 'display', required: true, text: 'x' };
  const resource = {
    resourceType: 'Questionnaire',
    status: 'draft',
    item: [group('1', [group('2', [display])])],
  };
  const errors = validateInvariants(resource).filter(({ severity }) => severity === 'error');
  t.like(errors, [{ expression: ['Questionnaire.item[0].item[0].item[0]'] }]);
});

test('a contained resource must be referred to (dom-3), and a local reference must resolve (ref-1)', (t) => {
  const contained = [{ resourceType: 'Organization', id: 'o', name: 'x' }];
  t.deepEqual(brokenIn(patient({ contained, managingOrganization: { reference: '#o' } })), []);
  t.deepEqual(brokenIn(patient({ contained })), ['dom-3']);
  t.deepEqual(brokenIn(patient({ managingOrganization: { reference: '#z' } })), ['ref-1']);
});

test('%resource and %rootResource are those of the entry in a bundle', (t) => {
  const contained = [{ resourceType: 'Organization', id: 'o', name: 'x' }];
  const entry = [{ resource: patient({ contained, managingOrganization: { reference: '#o' } }) }];
  t.deepEqual(brokenIn({ resourceType: 'Bundle', type: 'collection', entry }), []);
});

test('evaluation changes nothing in the resource', (t) => {
  const resource = patient({
    contact: [{ gender: 'male' }],
    name: [{ given: ['a'], period: { start: '2020-01-01' } }],
    contained: [{ resourceType: 'Organization', id: 'o' }],
  });
  const before = JSON.stringify(resource);
  deepFreeze(resource);
  t.deepEqual(brokenIn(resource).toSorted(), ['dom-3', 'org-1', 'pat-1']);
  t.is(JSON.stringify(resource), before);
});

test('a resource that is too large is told to be, at once', (t) => {
  const name = Array.from({ length: MAX_NODES }, () => ({ family: 'a' }));
  t.like(validateInvariants(patient({ name })), [{ severity: 'information', code: 'too-costly' }]);
});

test('many contained resources do not make it quadratic', (t) => {
  const contained = Array.from({ length: 2_500 }, (_, index) => ({ resourceType: 'Basic', id: `b${index}` }));
  const validate = (): readonly OutcomeIssue[] => validateInvariants(patient({ contained }));
  t.true(validate().some(({ code }) => code === 'too-costly'));
  t.true(fastest(validate, 2_000) < 2_000);
});

test('only listed invariants are left out, each for a reason', (t) => {
  const keys = new Set(
    [...structureDefinitions().values()].flatMap(({ elements }) =>
      elements.flatMap(({ constraints }) => constraints.map(({ key }) => key)),
    ),
  );
  for (const [key, reason] of NOT_EVALUATED) {
    t.true(keys.has(key), key);
    t.not(reason, '');
  }
});

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
}
