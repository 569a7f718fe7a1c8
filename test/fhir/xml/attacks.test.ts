import test, { type ExecutionContext } from 'ava';
import { DEFAULT_JSON_LIMITS } from '../../../src/fhir/json.js';
import { parseXml } from '../../../src/fhir/xml/parse.js';
import { FhirError } from '../../../src/model/errors.js';

const OPEN = '<Patient xmlns="http://hl7.org/fhir">';
const DIV = '<div xmlns="http://www.w3.org/1999/xhtml"';

/** A patient with these elements. */
function patient(elements: string): string {
  return `${OPEN}${elements}</Patient>`;
}

/** A patient with this in its narrative. */
function narrative(content: string): string {
  return patient(`<text><status value="generated"/>${DIV}>${content}</div></text>`);
}

function deep(open: string, close: string): string {
  return `${open.repeat(100_000)}${close.repeat(100_000)}`;
}

function assertRefused(t: ExecutionContext, source: string | Uint8Array, words: RegExp): void {
  const error = t.throws(() => parseXml(source, DEFAULT_JSON_LIMITS), { instanceOf: FhirError });
  t.is(error.code, 'MALFORMED_XML');
  t.is(error.status, 400);
  t.regex(error.message, words);
  t.true(error.message.length < 800, 'what was sent is not sent back');
}

test('attack 93: every document type declaration is refused, whatever it declares', (t) => {
  for (const declaration of [
    '<!DOCTYPE Patient>',
    '<!DOCTYPE Patient SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE Patient PUBLIC "-//x//EN" "http://127.0.0.1/x.dtd">',
    '<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE Patient [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]>',
    '<!DOCTYPE Patient [<!ATTLIST Patient xmlns CDATA "http://hl7.org/fhir">]>',
    '<!DOCTYPE Patient [<!-- ]> --><?x ]>?>]>',
  ]) {
    assertRefused(t, `${declaration}${patient('<id value="a"/>')}`, /DOCTYPE/);
    assertRefused(t, `<?xml version="1.0"?>\n<!-- x -->\n${declaration}${patient('')}`, /^Line 3, .*DOCTYPE/);
  }
  assertRefused(t, `${patient('')}<!DOCTYPE x>`, /Line 1/);
  assertRefused(t, patient('<!DOCTYPE x>'), /Line 1/);
  assertRefused(t, `<!DOCTYPE x [${patient('')}`, /Line 1/);
});

test('attack 93: an entity other than the five of XML is refused in values and in narrative', (t) => {
  for (const entity of ['x', 'nbsp', 'copy', 'xxe', '%x', 'constructor', '__proto__', 'toString']) {
    assertRefused(t, patient(`<id value="&${entity};"/>`), /entity/);
    assertRefused(t, narrative(`&${entity};`), /entity/);
  }
  for (const reference of [
    '#0',
    '#x0',
    '#1',
    '#xD800',
    '#xFFFF',
    '#x110000',
    '#xZ',
    '#',
    '#99999999999999999999',
  ])
    assertRefused(t, patient(`<id value="&${reference};"/>`), /entity|character/);
  t.deepEqual(parseXml(patient('<id value="&lt;&gt;&amp;&quot;&apos;&#65;&#x42;"/>'), DEFAULT_JSON_LIMITS), {
    resourceType: 'Patient',
    id: '<>&"\'AB',
  });
});

test('attack 93: a billion laughs ends at the declaration', (t) => {
  const lines = Array.from(
    { length: 30 },
    (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
  );
  const start = performance.now();
  assertRefused(
    t,
    `<!DOCTYPE x [<!ENTITY l0 "ha">${lines.join('')}]>${patient('<id value="&l30;"/>')}`,
    /DOCTYPE/,
  );
  assertRefused(
    t,
    `<!DOCTYPE x [<!ENTITY a "${'x'.repeat(2 ** 20)}">]>${patient('&a;'.repeat(1000))}`,
    /DOCTYPE/,
  );
  t.true(performance.now() - start < 5000);
});

test('attack 93: XInclude and every other foreign namespace is refused', (t) => {
  const include =
    '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>';
  assertRefused(t, patient(include), /no element <xi:include>/);
  assertRefused(t, narrative(include), /XHTML's namespace/);
  assertRefused(t, narrative('<svg xmlns="http://www.w3.org/2000/svg"/>'), /XHTML's namespace/);
  assertRefused(t, narrative('<id xmlns="http://hl7.org/fhir" value="x"/>'), /XHTML's namespace/);
  assertRefused(t, narrative('<p xmlns:x="urn:x" x:y="1"/>'), /another namespace/);
  assertRefused(t, '<Patient/>', /no namespace/);
  assertRefused(t, '<Patient xmlns="http://hl7.org/fhir/"/>', /another namespace/);
  assertRefused(t, '<Patient xmlns="urn:hl7-org:v3"/>', /another namespace/);
  assertRefused(t, patient('<id xmlns="urn:x" value="a"/>'), /another namespace/);
  assertRefused(t, patient('<x:id value="a"/>'), /prefix/);
  assertRefused(t, patient('<id xmlns:x="urn:x" x:value="a"/>'), /attribute x:value/);
});

test('attack 93: processing instructions are refused', (t) => {
  for (const instruction of [
    '<?xml-stylesheet href="http://127.0.0.1/x.xsl"?>',
    '<?php echo 1 ?>',
    '<?x?>',
  ]) {
    assertRefused(t, `${instruction}${patient('')}`, /processing instruction/);
    assertRefused(t, patient(instruction), /processing instruction/);
    assertRefused(t, narrative(instruction), /processing instruction/);
    assertRefused(t, `${patient('')}${instruction}`, /processing instruction/);
  }
});

test('attack 93: UTF-7, UTF-16 and other encodings are refused, in bytes and in words', (t) => {
  const text = patient('<id value="a"/>');
  const utf16 = Buffer.from(text, 'utf16le');
  assertRefused(t, utf16, /character/);
  assertRefused(t, Buffer.from(utf16).swap16(), /character/);
  assertRefused(t, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), /UTF-8/);
  assertRefused(t, Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()]), /UTF-8/);
  assertRefused(t, '+ADw-Patient xmlns=+ACI-http://hl7.org/fhir+ACI-/+AD4-', /Line 1/);
  for (const encoding of ['UTF-7', 'UTF-16', 'ISO-8859-1', 'utf-8x', 'cp037'])
    assertRefused(t, `<?xml version="1.0" encoding="${encoding}"?>${text}`, /encoding/);
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]])
    assertRefused(t, Buffer.concat([Buffer.from(text), Buffer.from(bytes)]), /UTF-8/);
  assertRefused(t, `<?xml version="1.1"?>${text}`, /version/);
  t.deepEqual(parseXml(`\ufeff<?xml version="1.0" encoding="utf-8"?>${text}`, DEFAULT_JSON_LIMITS), {
    resourceType: 'Patient',
    id: 'a',
  });
});

test('attack 93: 100,000 attributes are refused at the 65th', (t) => {
  const attributes = Array.from({ length: 100_000 }, (_, index) => ` a${index}="x"`).join('');
  const declarations = Array.from({ length: 100_000 }, (_, index) => ` xmlns:a${index}="urn:x"`).join('');
  const start = performance.now();
  for (const many of [attributes, declarations]) {
    assertRefused(t, `<Patient xmlns="http://hl7.org/fhir"${many}/>`, /more than 64 attributes/);
    assertRefused(t, narrative(`<p${many}/>`), /more than 64 attributes/);
  }
  t.true(performance.now() - start < 5000);
  assertRefused(t, patient('<id value="a" value="b"/>'), /duplicate attribute/);
});

test('attack 93: elements nested 100,000 deep are refused at the limit', (t) => {
  const start = performance.now();
  assertRefused(t, patient(deep('<extension url="u">', '</extension>')), /deeper than 64/);
  assertRefused(t, patient(deep('<contained><Patient>', '</Patient></contained>')), /deeper than 64/);
  assertRefused(t, narrative(deep('<p>', '</p>')), /deeper than 200/);
  assertRefused(t, OPEN.repeat(100_000), /no element/);
  t.true(performance.now() - start < 5000);
});

test('time grows with the length alone, whatever is repeated', (t) => {
  const start = performance.now();
  const repeated = [
    '&',
    '&amp;',
    '<',
    '</',
    '<!',
    '<!--',
    '<![CDATA[',
    ']]>',
    '<!-',
    '<a ',
    '" ',
    "'",
    'x=',
    '\r',
    '&#',
    '-->',
  ];
  for (const piece of repeated) {
    const long = piece.repeat(200_000);
    for (const source of [long, patient(long), patient(`<id value="${long}"/>`), narrative(long)]) {
      try {
        parseXml(source, DEFAULT_JSON_LIMITS);
      } catch (error) {
        if (!(error instanceof FhirError)) throw error;
      }
    }
  }
  t.true(performance.now() - start < 60_000);
});

test('names of objects are no elements and change no prototype', (t) => {
  for (const name of [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'resourceType',
  ]) {
    assertRefused(t, patient(`<${name} value="x"/>`), /no element/);
    assertRefused(t, `<${name} xmlns="http://hl7.org/fhir"/>`, /no.* resource type/);
    assertRefused(t, patient(`<id ${name}="x"/>`), /attribute/);
  }
  t.is(Object.keys(Object.prototype).length, 0);
});
