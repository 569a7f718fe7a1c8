import test from 'ava';
import fc from 'fast-check';
import { DEFAULT_JSON_LIMITS, parseJson } from '../../../src/fhir/json.js';
import { parseXml } from '../../../src/fhir/xml/parse.js';
import { writeXml, xmlPieces } from '../../../src/fhir/xml/write.js';
import { FhirError } from '../../../src/model/errors.js';
import { canonical } from './canonical.js';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';

test('elements are written in the order of the definition', (t) => {
  const json = '{"active":true,"resourceType":"Patient","name":[{"given":["a"],"family":"b"}],"id":"x"}';
  t.is(
    writeXml(parseJson(json) as object),
    `${HEAD}<Patient xmlns="http://hl7.org/fhir"><id value="x"/><active value="true"/><name><family value="b"/><given value="a"/></name></Patient>`,
  );
});

test('a resource without elements has both tags', (t) => {
  t.is(writeXml({ resourceType: 'Basic' }), `${HEAD}<Basic xmlns="http://hl7.org/fhir"></Basic>`);
});

test('a Bundle comes in pieces, one for each entry', (t) => {
  const entry = Array.from({ length: 100 }, () => ({ resource: { resourceType: 'Basic' } }));
  const pieces = [...xmlPieces({ resourceType: 'Bundle', type: 'collection', entry })];
  t.is(pieces.length, 103);
});

test('what XML cannot hold is refused, never left out', (t) => {
  for (const [resource, words] of [
    [{ resourceType: 'Patient', nonsense: 1 }, /member 'nonsense'/],
    [{ resourceType: 'Patient', _name: [{ id: 'x' }] }, /member '_name'/],
    [{ resourceType: 'Patient', name: [{ first: 'x' }] }, /HumanName has the member 'first'/],
    [{ resourceType: 'Patient', name: { family: 'x' } }, /list/],
    [{ resourceType: 'Patient', name: ['x'] }, /no object/],
    [{ resourceType: 'Patient', gender: { a: 1 } }, /no primitive/],
    [{ resourceType: 'Patient', gender: 'a\u0001' }, /U\+0001/],
    [{ resourceType: 'Patient', gender: '\uffff' }, /U\+FFFF/],
    [{ resourceType: 'Patient', _gender: { nonsense: 1 } }, /member 'nonsense'/],
    [{ resourceType: 'Patient', contained: [{}] }, /no FHIR resource/],
    [{ resourceType: 'Patient', contained: [{ resourceType: 'HumanName' }] }, /no FHIR resource/],
    [{ resourceType: '__proto__' }, /no FHIR resource/],
    [{ resourceType: 'DomainResource' }, /no FHIR resource/],
  ] as const) {
    const error = t.throws(() => writeXml(resource), { instanceOf: FhirError });
    t.is(error.code, 'NOT_ACCEPTABLE');
    t.regex(error.message, words);
  }
});

/** Every character that XML 1.0 has, those with a meaning more often than others. */
const characters = fc.oneof(
  fc.constantFrom(...'<>&"\'\t\n\r ]-;#x:/?!'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const texts = fc
  .array(characters, { minLength: 1, maxLength: 30 })
  .map((list) => list.join(''))
  // oxlint-disable-next-line no-control-regex -- characters that XML does not have
  .filter((text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u.test(text));

test('any text comes back as it was, from values and from ids', (t) => {
  fc.assert(
    fc.property(texts, texts, fc.boolean(), (value, id, pretty) => {
      const patient = {
        resourceType: 'Patient',
        name: [{ id, text: value, given: [value, id], _given: [null, { id: value }] }],
      };
      const back = parseXml(writeXml(patient, { pretty }), DEFAULT_JSON_LIMITS);
      return canonical(back) === canonical(patient);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('any number comes back with its digits', (t) => {
  const literals = fc
    .tuple(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.stringMatching(/^(\.\d{1,20})?(e-?\d{1,2})?$/),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(literals, (literal) => {
      const json = parseJson(`{"resourceType":"Observation","valueQuantity":{"value":${literal}}}`) as object;
      const back = parseXml(writeXml(json), DEFAULT_JSON_LIMITS);
      return canonical(back) === `{"resourceType":"Observation","valueQuantity":{"value":${literal}}}`;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('whatever is sent is a resource or MALFORMED_XML', (t) => {
  const piece = fc.oneof(
    characters,
    fc.constantFrom(
      '<Patient xmlns="http://hl7.org/fhir">',
      '</Patient>',
      '<text>',
      '<div xmlns="http://www.w3.org/1999/xhtml">',
      '</div>',
      '<name>',
      '<given value="x"/>',
      '</name>',
      '<contained>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<?x',
      '?>',
      '<!DOCTYPE x [',
      'xmlns:a="b"',
      'value="',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.boolean(), (pieces, isPatient) => {
      const text = pieces.join('');
      const source = isPatient ? `<Patient xmlns="http://hl7.org/fhir">${text}</Patient>` : text;
      try {
        return (parseXml(source, DEFAULT_JSON_LIMITS) as object) instanceof Object;
      } catch (error) {
        return error instanceof FhirError && error.code === 'MALFORMED_XML';
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
