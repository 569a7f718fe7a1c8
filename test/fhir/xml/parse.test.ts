import test, { type ExecutionContext } from 'ava';
import { DEFAULT_JSON_LIMITS, stringifyJson } from '../../../src/fhir/json.js';
import { parseXml } from '../../../src/fhir/xml/parse.js';
import { FhirError } from '../../../src/model/errors.js';

function read(elements: string, type = 'Patient'): Record<string, unknown> {
  const source = `<${type} xmlns="http://hl7.org/fhir">${elements}</${type}>`;
  return parseXml(source, DEFAULT_JSON_LIMITS) as Record<string, unknown>;
}

function assertRefused(t: ExecutionContext, source: string, words: RegExp): void {
  const error = t.throws(() => parseXml(source, DEFAULT_JSON_LIMITS), { instanceOf: FhirError });
  t.is(error.code, 'MALFORMED_XML');
  t.regex(error.message, words);
}

function assertElementsRefused(t: ExecutionContext, elements: string, words: RegExp): void {
  assertRefused(t, `<Patient xmlns="http://hl7.org/fhir">${elements}</Patient>`, words);
}

test('values become strings, booleans and numbers by the definition', (t) => {
  t.deepEqual(read('<active value="true"/><gender value="male"/><multipleBirthInteger value="2"/>'), {
    resourceType: 'Patient',
    active: true,
    gender: 'male',
    multipleBirthInteger: 2,
  });
  t.deepEqual(read('<deceasedBoolean value="false"/>'), { resourceType: 'Patient', deceasedBoolean: false });
  for (const value of ['1', 'TRUE', 'yes', '', ' true'])
    assertElementsRefused(t, `<active value="${value}"/>`, /Patient\.active.* is no boolean/);
  for (const value of ['x', '+1', '01', '1.', '.5', '', '0x1', 'NaN', '1e400', ' 1', '1'.repeat(1001)])
    assertElementsRefused(t, `<multipleBirthInteger value="${value}"/>`, /is no number/);
});

test('numbers keep their digits, in lists too', (t) => {
  for (const digits of ['1.00', '0.10', '1e2', '-0', '1E-22', '12345678901234567890.12', '3']) {
    const value = read(`<valueQuantity><value value="${digits}"/></valueQuantity>`, 'Observation');
    t.true(stringifyJson(value).includes(`{"value":${digits}}`), digits);
  }
  const sequence = read(
    '<quality><type value="snp"/><roc><precision value="1.0"/><precision value="2.50"/></roc></quality>',
    'MolecularSequence',
  );
  t.true(stringifyJson(sequence).includes('"precision":[1.0,2.50]'));
});

test('elements that may repeat are lists, also of one', (t) => {
  t.deepEqual(read('<name><given value="a"/><given value="b"/></name><name><family value="c"/></name>'), {
    resourceType: 'Patient',
    name: [{ given: ['a', 'b'] }, { family: 'c' }],
  });
  t.deepEqual(read('<item><linkId value="1"/><item><linkId value="2"/></item></item>', 'Questionnaire'), {
    resourceType: 'Questionnaire',
    item: [{ linkId: '1', item: [{ linkId: '2' }] }],
  });
});

test('ids and extensions of primitives stand under an underscore, in lists of one length', (t) => {
  const extension = '<extension url="urn:x"><valueString value="y"/></extension>';
  const held = { extension: [{ url: 'urn:x', valueString: 'y' }] };
  t.deepEqual(read(`<birthDate id="b" value="1970">${extension}</birthDate>`), {
    resourceType: 'Patient',
    birthDate: '1970',
    _birthDate: { id: 'b', ...held },
  });
  t.deepEqual(read(`<gender>${extension}</gender>`), { resourceType: 'Patient', _gender: held });
  t.deepEqual(read(`<name><given value="a"/><given>${extension}</given><given value="c"/></name>`), {
    resourceType: 'Patient',
    name: [{ given: ['a', null, 'c'], _given: [null, held, null] }],
  });
});

test('ids of elements are attributes, ids of resources are elements', (t) => {
  t.deepEqual(read('<id value="a"/><name id="n"><family value="x"/></name>'), {
    resourceType: 'Patient',
    id: 'a',
    name: [{ id: 'n', family: 'x' }],
  });
  assertRefused(t, '<Patient xmlns="http://hl7.org/fhir" id="a"/>', /attribute id/);
});

test('resources stand in contained, entries and parameters', (t) => {
  t.deepEqual(read('<contained><Group><id value="g"/></Group></contained><contained><Basic/></contained>'), {
    resourceType: 'Patient',
    contained: [{ resourceType: 'Group', id: 'g' }, { resourceType: 'Basic' }],
  });
  t.deepEqual(read('<parameter><name value="x"/><resource><Basic/></resource></parameter>', 'Parameters'), {
    resourceType: 'Parameters',
    parameter: [{ name: 'x', resource: { resourceType: 'Basic' } }],
  });
  assertElementsRefused(t, '<contained/>', /Patient\.contained\).* empty/);
  assertElementsRefused(t, '<contained><Basic/><Basic/></contained>', /one resource/);
  assertElementsRefused(t, '<contained><Nonsense/></contained>', /resource type/);
  assertElementsRefused(t, '<contained id="x"><Basic/></contained>', /attribute/);
});

test('comments, white space, prefixes and schema locations make no difference', (t) => {
  const source = `<?xml version="1.0" encoding="UTF-8"?><!-- one -->
    <f:Patient xmlns:f="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
      xsi:schemaLocation="http://hl7.org/fhir patient.xsd"><!-- two -->
      <f:id value = 'a'></f:id>
    </f:Patient>
    <!-- three -->`;
  t.deepEqual(parseXml(source, DEFAULT_JSON_LIMITS), { resourceType: 'Patient', id: 'a' });
  assertElementsRefused(
    t,
    '<name xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="HumanName"/>',
    /attribute xsi:type/,
  );
});

test('white space of values: references are kept, line ends become spaces', (t) => {
  t.deepEqual(read('<gender value=" a&#10;b&#13;&#9;c\n\td "/>'), {
    resourceType: 'Patient',
    gender: ' a\nb\r\tc  d ',
  });
});

test('what the definition does not know, or knows elsewhere, is refused with its place', (t) => {
  assertRefused(
    t,
    '<Patient xmlns="http://hl7.org/fhir">\n  <name>\n    <first value="x"/>\n  </name>\n</Patient>',
    /^Line 3, column 22 \(Patient\.name\): HumanName has no element <first>\.$/,
  );
  assertElementsRefused(t, '<gender value="male"/><active value="true"/>', /move <active> before <gender>/);
  assertElementsRefused(t, '<name/><gender value="male"/><name/>', /move <name> before <gender>/);
  assertElementsRefused(t, '<active value="true"/><active value="true"/>', /<active> is there twice/);
  assertElementsRefused(
    t,
    '<deceasedBoolean value="true"/><deceasedDateTime value="2000"/>',
    /more than one deceased\[x\]/,
  );
  assertElementsRefused(t, '<gender/>', /Patient\.gender\).* empty/);
  assertElementsRefused(t, '<gender>male</gender>', /text between elements/);
  assertElementsRefused(t, '<gender><![CDATA[male]]></gender>', /CDATA/);
  assertElementsRefused(t, '<name value="x"/>', /attribute value/);
  assertElementsRefused(t, '<gender value="male"><family value="x"/></gender>', /no element <family>/);
});

test('what is not well-formed is refused with its place', (t) => {
  for (const source of [
    '',
    '   ',
    'hello',
    '{"resourceType":"Patient"}',
    '<Patient xmlns="http://hl7.org/fhir">',
    '<Patient xmlns="http://hl7.org/fhir"/><Patient xmlns="http://hl7.org/fhir"/>',
    '<Patient xmlns="http://hl7.org/fhir"/> x',
    '<Patient xmlns="http://hl7.org/fhir"><name></Patient>',
    '<Patient xmlns="http://hl7.org/fhir"><id value=a/></Patient>',
    '<Patient xmlns="http://hl7.org/fhir"><id value/></Patient>',
    '<Patient xmlns="http://hl7.org/fhir"><id value="<"/></Patient>',
    '<Patient xmlns="http://hl7.org/fhir"><id value="a"/ ></Patient>',
    '<Patient xmlns="http://hl7.org/fhir"><id value="\u0001"/></Patient>',
    '<Patient xmlns="http://hl7.org/fhir"><!-- a -- b --></Patient>',
    ' <?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"/>',
  ])
    assertRefused(t, source, /^Line \d+, column \d+/);
});

test('the limit of nesting is that of JSON', (t) => {
  const nested = (levels: number): string =>
    levels === 0 ? '<valueBoolean value="true"/>' : `<extension url="u">${nested(levels - 1)}</extension>`;
  // Each extension is a list and an object below the resource.
  t.notThrows(() => read(nested(31)));
  assertElementsRefused(t, nested(32), /deeper than 64 levels/);
});
