import test from 'ava';
import { searchParameterDefinitions, structureDefinitions } from '../../../src/fhir/definitions.js';
import { checkExpression } from '../../../src/fhir/expression/check.js';
import { TypeSchema } from '../../../src/fhir/expression/schema.js';
import { typesOfBase } from '../../../src/fhir/search-parameters.js';

const schema = new TypeSchema(structureDefinitions());

const check = (expression: string, type: 'string' | 'token' | 'reference' = 'string', on = 'Patient') =>
  checkExpression(schema, on, { expression, type });

test('nothing is wrong with any official expression, on any type it is for', (t) => {
  const wrong = searchParameterDefinitions().flatMap(({ base, code, type, expression }) =>
    expression === '' || type === 'composite' || type === 'special'
      ? []
      : base
          .flatMap(typesOfBase)
          .filter((on) => checkExpression(schema, on, { expression, type }))
          .map((on) => `${on} ${code}`),
  );
  t.deepEqual(wrong, []);
});

test('a finding says where it is', (t) => {
  t.deepEqual(check('Patient.name.nick'), { message: 'HumanName has no element "nick"', position: 13 });
  t.deepEqual(check('Patient.contact.name.nick'), {
    message: 'HumanName has no element "nick"',
    position: 21,
  });
  t.is(
    check('Patient.extension.valueCoding')?.message,
    'Extension has no element "valueCoding"; FHIRPath says value.ofType(Coding)',
  );
  t.is(check('Patient.extension.valueFoo')?.message, 'Extension has no element "valueFoo"');
  t.is(check('Patient.name.where(')?.position, 18);
  t.is(check('Patient.name.')?.position, 12);
  t.is(check('Patient..name')?.position, 8);
  t.deepEqual(check('Patient.deceased.ofType(Quantity)'), {
    message: 'no value of boolean, dateTime is a Quantity',
    position: 24,
  });
});

test('one branch that finds nothing is a finding, whatever the others find', (t) => {
  t.regex(check('Patient.name | Patient.nick')?.message ?? '', /Patient has no element "nick"/);
  t.is(check('Patient.name | Practitioner.name'), undefined);
});

test('values must be of a type that the kind of parameter can search', (t) => {
  t.is(check('Patient.name.family'), undefined);
  t.regex(check('Patient.name', 'reference')?.message ?? '', /cannot search values of type HumanName/);
  t.is(check("Patient.extension('http://x').value", 'token'), undefined);
});

test('what the compiler does not know is parsed by the engine', (t) => {
  t.is(check('Patient.name.given.lower()'), undefined);
  t.is(check('iif(Patient.active, Patient.name.family, Patient.name.text)'), undefined);
  t.is(check("Patient.name.family & 'now()'"), undefined);
  t.regex(check('Patient.name.given.lower().frobnicate()')?.message ?? '', /frobnicate/);
});

test('loops that multiply are ended, wherever they stand', (t) => {
  const loops = Array.from({ length: 12 }).reduce<string>(
    (inner) => `(0|1|2|3|4|5|6|7|8|9).select(${inner})`,
    '$this',
  );
  for (const expression of [loops, `Patient.where(${loops}.exists())`, `iif(${loops}.count() > 0, 1, 2)`]) {
    t.regex(check(expression)?.message ?? '', /takes longer than/);
  }
});
