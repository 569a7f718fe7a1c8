import { gzipSync } from 'node:zlib';
import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ settings: { maxBodyBytes: 4 * 2 ** 20 } });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

/** Errors are asked for as JSON, to look at their codes. */
const sends = { 'content-type': 'application/fhir+xml', accept: 'application/fhir+json' };
const OPEN = '<Patient xmlns="http://hl7.org/fhir">';
const GOOD = `${OPEN}<name><family value="good"/></name></Patient>`;

const ATTACKS: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>> = {
  'a DTD': `<!DOCTYPE Patient>${GOOD}`,
  'an external entity': `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${OPEN}<id value="&e;"/></Patient>`,
  'a billion laughs': `<!DOCTYPE x [<!ENTITY a "${'ha'.repeat(1000)}"><!ENTITY b "${'&a;'.repeat(1000)}">]>${OPEN}<id value="&b;"/></Patient>`,
  'an undeclared entity': `${OPEN}<id value="&nbsp;"/></Patient>`,
  'an XInclude': `${OPEN}<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></Patient>`,
  'a style sheet': `<?xml-stylesheet href="http://127.0.0.1/x.xsl"?>${GOOD}`,
  'UTF-16': new Uint8Array(Buffer.from(`\ufeff${GOOD}`, 'utf16le')),
  'UTF-16 without its mark': new Uint8Array(Buffer.from(GOOD, 'utf16le')),
  'UTF-7': `<?xml version="1.0" encoding="UTF-7"?>${GOOD}`,
  'UTF-7 in disguise': '+ADw-Patient xmlns=+ACI-http://hl7.org/fhir+ACI-/+AD4-',
  '100,000 attributes': `<Patient xmlns="http://hl7.org/fhir"${Array.from({ length: 100_000 }, (_, index) => ` a${index}=""`).join('')}/>`,
  '100,000 levels': `${OPEN}${'<extension url="u">'.repeat(100_000)}`,
  '4 MB of a tag that does not end': `<Patient ${' '.repeat(4_000_000)}`,
};

for (const [name, body] of Object.entries(ATTACKS)) {
  test(`attack 93: ${name} is 400, says where, and stores nothing`, async (t) => {
    const answer = await client.post('Patient', body, sends);
    assertError(t, answer, 400, 'MALFORMED_XML');
    t.false(answer.text.includes('root:'));
    t.true(answer.text.length < 2000);
    t.is(await client.count('Patient?family=good'), 0);
  });
}

test('a charset other than UTF-8 is 415, a body above the limit 413, packed or not', async (t) => {
  const utf7 = { ...sends, 'content-type': 'application/fhir+xml; charset=utf-7' };
  assertError(t, await client.post('Patient', GOOD, utf7), 415, 'UNSUPPORTED_MEDIA_TYPE');
  const large = `${OPEN}<!--${'x'.repeat(5 * 2 ** 20)}--></Patient>`;
  assertError(t, await client.post('Patient', large, sends), 413, 'PAYLOAD_TOO_LARGE');
  const packed = new Uint8Array(gzipSync(large));
  assertError(
    t,
    await client.post('Patient', packed, { ...sends, 'content-encoding': 'gzip' }),
    413,
    'PAYLOAD_TOO_LARGE',
  );
});

test('XML that says it is JSON, and JSON that says it is XML, are 400', async (t) => {
  assertError(t, await client.post('Patient', GOOD), 400, 'MALFORMED_JSON');
  assertError(t, await client.post('Patient', '{"resourceType":"Patient"}', sends), 400, 'MALFORMED_XML');
});

test('narrative that a browser would run is refused as it is in JSON', async (t) => {
  for (const content of ['<script>x</script>', '<p onclick="x">x</p>', '<a href="javascript:x">x</a>']) {
    const body = `${OPEN}<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">${content}</div></text></Patient>`;
    assertError(t, await client.post('Patient', body, sends), 422, 'INVALID_RESOURCE');
  }
});
