import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { packageRoot } from '../../../src/fhir/definitions.js';
import { RESOURCE_TYPES } from '../../../src/fhir/r4/resource-types.js';
import { MAX_DEPTH, MAX_ISSUES } from '../../../src/fhir/validate/findings.js';
import { compiledTypes, validateStructure } from '../../../src/fhir/validate/structure.js';
import type { Bundle } from '../../../src/model/resource.js';
import { RIGHT, WRONG } from './cases.js';

const SYNTHEA = join(packageRoot(), '..', 'shared', 'data', 'synthea');

const observation = (elements: object): object => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  ...elements,
});
const diagnosticsOf = (resource: unknown): readonly (string | undefined)[] =>
  validateStructure(resource).map(({ diagnostics }) => diagnostics);

const issuesOfName = (elements: object): number =>
  diagnosticsOf({ resourceType: 'Patient', name: [elements] }).length;
const issuesOfStatus = (clinicalStatus: object): number =>
  diagnosticsOf({ resourceType: 'Condition', subject: { reference: 'Patient/1' }, clinicalStatus }).length;

test.serial('a check is generated when its type is first met, and those of its datatypes no earlier', (t) => {
  t.deepEqual(compiledTypes(), []);
  validateStructure({ resourceType: 'Patient' });
  t.deepEqual(compiledTypes(), ['Patient']);
  validateStructure({ resourceType: 'Patient', name: [{ family: 'A' }] });
  t.deepEqual(compiledTypes(), ['Patient', 'HumanName']);
});

for (const [name, resource] of Object.entries(RIGHT)) {
  test(`right: ${name}`, (t) => t.deepEqual(validateStructure(resource), []));
}

for (const [name, { resource, path, code, mode, severity }] of Object.entries(WRONG)) {
  if (mode === 'full') continue;
  test(`wrong: ${name}`, (t) => {
    const issues = validateStructure(resource);
    t.is(issues.length, 1);
    t.like(issues[0], { severity, code });
    t.deepEqual(issues[0]?.expression ?? [], path === '' ? [] : [path]);
  });
}

test('the checks of all 146 resource types can be generated', (t) => {
  for (const resourceType of RESOURCE_TYPES) {
    const issues = validateStructure({ resourceType, bogus: 1 });
    t.true(
      issues.some(({ expression }) => expression?.[0] === `${resourceType}.bogus`),
      resourceType,
    );
  }
});

test('an issue says what is wrong, where, and what to do', (t) => {
  t.deepEqual(validateStructure({ resourceType: 'Patient', gender: 'm' }), [
    {
      severity: 'error',
      code: 'code-invalid',
      details: { coding: [{ system: 'urn:bulkhead:error', code: 'INVALID_RESOURCE' }] },
      diagnostics:
        'Patient.gender: code "m" is not in http://hl7.org/fhir/ValueSet/administrative-gender; ' +
        'use one of male, female, other, unknown',
      expression: ['Patient.gender'],
    },
  ]);
});

test('an unknown element gets the nearest name', (t) => {
  t.deepEqual(diagnosticsOf({ resourceType: 'Patient', birthdate: '1980-01-01' }), [
    'Patient.birthdate: unknown element "birthdate" in Patient; did you mean birthDate?',
  ]);
});

test('values that are no resource are refused', (t) => {
  for (const value of [null, undefined, 1, 'Patient', true, [], [{ resourceType: 'Patient' }], {}]) {
    t.is(validateStructure(value).length, 1, JSON.stringify(value));
  }
  for (const resourceType of ['Resource', 'DomainResource', 'HumanName', 'toString', 1, null]) {
    t.is(validateStructure({ resourceType })[0]?.code, 'not-supported', String(resourceType));
  }
});

test('names of Object.prototype are unknown elements and pollute nothing', (t) => {
  const hostile = JSON.parse(
    '{"resourceType":"Patient","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},' +
      '"name":[{"__proto__":{"family":1},"hasOwnProperty":1}]}',
  );
  t.is(validateStructure(hostile).length, 4);
  t.is(validateStructure(JSON.parse('{"__proto__":{"resourceType":"Patient"}}'))[0]?.code, 'required');
  t.false('polluted' in {});
});

test('at most MAX_ISSUES are told, and warnings hide no error', (t) => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1]));
  t.is(validateStructure({ resourceType: 'Patient', ...many }).length, MAX_ISSUES);
  const performer = Array.from({ length: 100 }, () => ({ reference: 'Medication/1' }));
  const issues = validateStructure(observation({ performer, wrong: 1 }));
  t.is(issues.length, MAX_ISSUES);
  t.deepEqual(issues[0]?.expression, ['Observation.wrong']);
});

test('nesting is refused beyond a depth, whatever the stack', (t) => {
  let item: object = { linkId: '1', type: 'group' };
  for (let level = 0; level < 100_000; level += 1) item = { linkId: '1', type: 'group', item: [item] };
  const issues = validateStructure({ resourceType: 'Questionnaire', status: 'draft', item: [item] });
  t.is(issues.length, 1);
  t.is(issues[0]?.code, 'too-costly');
  t.regex(issues[0]?.diagnostics ?? '', new RegExp(`deeper than ${MAX_DEPTH} levels`));
});

test('a primitive and its extensions go together', (t) => {
  const extension = [{ url: 'http://example.org/e', valueString: 'x' }];
  t.deepEqual(diagnosticsOf({ resourceType: 'Patient', birthDate: '1980', _birthDate: { id: 'a' } }), []);
  t.is(diagnosticsOf({ resourceType: 'Patient', _birthDate: { id: 'a' } }).length, 1);
  t.is(diagnosticsOf({ resourceType: 'Patient', _birthDate: {} }).length, 1);
  t.is(diagnosticsOf({ resourceType: 'Patient', _birthDate: { extension: [] } }).length, 1);
  t.is(diagnosticsOf({ resourceType: 'Patient', _birthDate: { value: 1, extension } }).length, 1);
  t.is(diagnosticsOf({ resourceType: 'Patient', _birthDate: [{ extension }] }).length, 1);
  t.deepEqual(
    diagnosticsOf({ resourceType: 'Observation', code: { text: 'x' }, _status: { extension } }),
    [],
  );
});

test('a list of primitives and that of their extensions are equally long and not both null', (t) => {
  const extension = [{ url: 'http://example.org/e', valueString: 'x' }];
  t.is(issuesOfName({ _given: [{ extension }] }), 0);
  t.is(issuesOfName({ given: ['a', 'b'], _given: [{ extension }] }), 1);
  t.is(issuesOfName({ given: ['a', null] }), 1);
  t.true(issuesOfName({ given: ['a', null], _given: [{ extension }, null] }) > 0);
  t.is(issuesOfName({ given: ['a'], _given: [] }), 1);
});

test('a choice of a value and the extensions of another type are two choices', (t) => {
  const extension = [{ url: 'http://example.org/e', valueString: 'x' }];
  t.deepEqual(diagnosticsOf(observation({ valueString: 'a', _valueString: { extension } })), []);
  t.is(diagnosticsOf(observation({ valueString: 'a', _valueBoolean: { extension } })).length, 1);
});

test('an extension has a value or extensions', (t) => {
  const issues = validateStructure({ resourceType: 'Patient', extension: [{ url: 'http://example.org/e' }] });
  t.like(issues[0], { code: 'structure', expression: ['Patient.extension[0]'] });
});

test('an element with an id alone is empty; a resource is not', (t) => {
  t.is(diagnosticsOf({ resourceType: 'Patient', name: [{ id: 'a' }] }).length, 1);
  t.deepEqual(diagnosticsOf({ resourceType: 'Patient', id: 'a' }), []);
});

test('a CodeableConcept with a required binding needs a coding of the set, or an extension alone', (t) => {
  const system = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
  t.is(
    issuesOfStatus({
      coding: [
        { system: 'urn:x', code: 'y' },
        { system, code: 'active' },
      ],
    }),
    0,
  );
  t.is(issuesOfStatus({ extension: [{ url: 'urn:x', valueCode: 'unknown' }] }), 0);
  t.is(issuesOfStatus({ text: 'active' }), 1);
  t.is(issuesOfStatus({ coding: [{ code: 'active' }] }), 1);
});

test('references that name no type, or a type the element allows, are no warning', (t) => {
  for (const reference of [
    'Patient/1',
    'http://example.org/fhir/Patient/1/_history/2',
    '#p',
    'urn:uuid:0f2074a0-4173-1a32-988f-5316d7f1cbbe',
    'Patient?identifier=a|b',
    'http://example.org/other',
  ]) {
    t.deepEqual(diagnosticsOf(observation({ subject: { reference } })), [], reference);
  }
});

test('a codes list that cannot be enumerated is not checked', (t) => {
  t.deepEqual(
    diagnosticsOf({ resourceType: 'Binary', contentType: 'application/x-unheard-of', data: 'AAAA' }),
    [],
  );
});

test('arbitrary JSON never makes it throw, nor pollutes Object.prototype', (t) => {
  const before = Reflect.ownKeys(Object.prototype);
  const names = fc.constantFrom(
    'resourceType',
    'name',
    'extension',
    'contained',
    '_birthDate',
    'id',
    '__proto__',
  );
  const key = fc.oneof(names, fc.string());
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom<unknown>('Patient', 'Bundle', null),
      fc.jsonValue(),
      fc.array(tie('value')),
      fc.dictionary(key, tie('value')),
    ),
  }));
  const typed = fc.tuple(fc.constantFrom(...RESOURCE_TYPES), fc.dictionary(key, value));
  fc.assert(
    fc.property(typed, ([resourceType, elements]) => {
      const issues = validateStructure(JSON.parse(JSON.stringify({ ...elements, resourceType })));
      return (
        issues.length <= MAX_ISSUES && issues.every(({ diagnostics }) => (diagnostics ?? '').length < 2_000)
      );
    }),
    { numRuns: 500 },
  );
  t.deepEqual(Reflect.ownKeys(Object.prototype), before);
});

test('a change of any one part of a right resource never makes it throw', (t) => {
  const resources = Object.values(RIGHT);
  fc.assert(
    fc.property(fc.constantFrom(...resources), fc.nat(), fc.jsonValue(), (resource, nth, value) => {
      let count = 0;
      const text = JSON.stringify(resource, (_, part: unknown) => (count++ === nth % 20 ? value : part));
      return Array.isArray(validateStructure(JSON.parse(text)));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

const files = existsSync(SYNTHEA) ? readdirSync(SYNTHEA).filter((name) => name.endsWith('.json.gz')) : [];

(files.length > 0 ? test : test.skip)('every Synthea resource is accepted', (t) => {
  for (const file of files) {
    const bundle = JSON.parse(gunzipSync(readFileSync(join(SYNTHEA, file))).toString('utf8')) as Bundle;
    t.deepEqual(validateStructure(bundle), [], file);
  }
});
