import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { rawExchange } from '../support/raw-exchange.js';

const MAX_BODY = 2 ** 20;
const server = await createTestServer({ settings: { maxBodyBytes: MAX_BODY } });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function zipped(text: string) {
  return new Uint8Array(gzipSync(text));
}

/** Head of a create whose body is said to be this long. */
function headOf(length: string | number): string {
  return [
    'POST /fhir/Patient HTTP/1.1',
    'Host: x',
    'Connection: close',
    'Content-Type: application/fhir+json',
    `Content-Length: ${length}`,
    '\r\n',
  ].join('\r\n');
}

const FAMILY = (text: string) => `{"resourceType":"Patient","name":[{"family":${text}}]}`;

test('JSON that is not well-formed is 400 MALFORMED_JSON with the place', async (t) => {
  const bad = [
    '{',
    '{"resourceType":"Patient"',
    '{"resourceType":"Patient"}}',
    '{"resourceType":"Patient"} x',
    "{'a':1}",
    '{"a":1,}',
    '[1,]',
    '{"a" 1}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":NaN}',
    '{"a":Infinity}',
    '{"a":undefined}',
    '{a:1}',
    '// c\n{}',
    '{"a":"\n"}',
    FAMILY('"\\x"'),
    '   ',
    'hello',
    '\u0000',
  ];
  for (const body of bad) {
    const answer = await client.post<OperationOutcome>('Patient', body);
    assertError(t, answer, 400, 'MALFORMED_JSON');
    t.truthy(answer.body.issue[0]?.diagnostics);
  }
});

test('an empty body is 400', async (t) => {
  assertError(t, await client.post('Patient', ''), 400, 'MALFORMED_JSON');
  assertError(t, await client.send('POST', 'Patient'), 400, 'MALFORMED_JSON');
  assertError(t, await client.send('POST', ''), 400, 'MALFORMED_JSON');
});

test('duplicate keys, __proto__, NUL and lone surrogates are 400', async (t) => {
  const bad = [
    '{"resourceType":"Patient","gender":"male","gender":"female"}',
    '{"resourceType":"Patient","resourceType":"Patient"}',
    '{"resourceType":"Patient","__proto__":{"gender":"male"}}',
    '{"resourceType":"Patient","name":[{"__proto__":null}]}',
    '{"resourceType":"Patient","\\u005f_proto__":{}}',
    FAMILY('"a\\u0000b"'),
    FAMILY('"\\ud800"'),
    FAMILY('"\\udc00\\ud800"'),
  ];
  for (const body of bad) assertError(t, await client.post('Patient', body), 400, 'MALFORMED_JSON');
});

test('constructor, toString and other names of objects are unknown elements like any other', async (t) => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'prototype', 'valueOf']) {
    assertError(
      t,
      await client.post('Patient', `{"resourceType":"Patient","${name}":{}}`),
      422,
      'INVALID_RESOURCE',
    );
  }
});

test('invalid UTF-8 and a byte order mark are 400', async (t) => {
  const [before, after] = [Buffer.from('{"resourceType":"Patient","name":[{"family":"'), Buffer.from('"}]}')];
  for (const bytes of [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
    const body = new Uint8Array(Buffer.concat([before, Buffer.from(bytes), after]));
    assertError(t, await client.post('Patient', body), 400, 'MALFORMED_JSON');
  }
  const marked = new Uint8Array(
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"resourceType":"Patient"}')]),
  );
  assertError(t, await client.post('Patient', marked), 400, 'MALFORMED_JSON');
  const utf16 = new Uint8Array(Buffer.from('{"resourceType":"Patient"}', 'utf16le'));
  assertError(t, await client.post('Patient', utf16), 400, 'MALFORMED_JSON');
});

test('nesting deeper than the limit is 400 before anything is built', async (t) => {
  for (const depth of [65, 1000, 100_000]) {
    assertError(
      t,
      await client.post('Patient', `{"resourceType":"Patient","x":${'['.repeat(depth)}${']'.repeat(depth)}}`),
      400,
      'MALFORMED_JSON',
    );
  }
  const extension = (depth: number): string =>
    depth === 0
      ? '{"url":"urn:x","valueBoolean":true}'
      : `{"url":"urn:x","extension":[${extension(depth - 1)}]}`;
  const body = `{"resourceType":"Patient","extension":[${extension(20)}]}`;
  t.is((await client.post('Patient', body)).status, 201);
});

test('a number that is no finite double is 400', async (t) => {
  for (const number of ['1e400', '-1e400', `1${'0'.repeat(400)}`]) {
    const body = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${number}}}`;
    assertError(t, await client.post('Observation', body), 400, 'MALFORMED_JSON');
  }
});

test('unusual but valid JSON is taken: escapes, white space, all planes of Unicode', async (t) => {
  const answer = await client.post<Patient>(
    'Patient',
    '\r\n\t {"resourceType" : "Patient", "name":[{"family":"\\u00e4\\ud83d\\ude00 \\"日本語 😀"}]} \n',
  );
  t.is(answer.status, 201);
  t.is(answer.body.name?.[0]?.family, 'ä😀 "日本語 😀');
  const read = await client.get<Patient>(`Patient/${answer.body.id}`);
  t.deepEqual(read.body, answer.body);
});

test('a body above the limit is 413, whether or not its length is declared', async (t) => {
  const body = FAMILY(`"${'x'.repeat(MAX_BODY)}"`);
  assertError(t, await client.post('Patient', body), 413, 'PAYLOAD_TOO_LARGE');
  const head = `POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunk = 'x'.repeat(65_536);
  const chunks = `${(65_536).toString(16)}\r\n${chunk}\r\n`.repeat(20);
  const answer = await rawExchange(server.url, `${head}${chunks}0\r\n\r\n`);
  t.is(answer.status, 413);
  t.true(answer.body.includes('PAYLOAD_TOO_LARGE'));
});

test('gzip is understood; broken gzip is 400, a bomb 413, another encoding 415', async (t) => {
  const gzip = { 'content-encoding': 'gzip' };
  const good = await client.post<Patient>('Patient', zipped(FAMILY('"zipped"')), gzip);
  t.is(good.status, 201);
  t.is(good.body.name?.[0]?.family, 'zipped');
  assertError(t, await client.post('Patient', FAMILY('"x"'), gzip), 400, 'MALFORMED_JSON');
  assertError(
    t,
    await client.post('Patient', zipped(FAMILY('"x"')).slice(0, 20), gzip),
    400,
    'MALFORMED_JSON',
  );
  assertError(
    t,
    await client.post('Patient', zipped(FAMILY(`"${'x'.repeat(200 * MAX_BODY)}"`)), gzip),
    413,
    'PAYLOAD_TOO_LARGE',
  );
  assertError(
    t,
    await client.post('Patient', FAMILY('"x"'), { 'content-encoding': 'br' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  );
  t.is((await client.post('Patient', FAMILY('"x"'), { 'content-encoding': 'identity' })).status, 201);
});

test('a Content-Length that is wrong never stores a part', async (t) => {
  const body = FAMILY('"partial"');
  const short = await rawExchange(server.url, `${headOf(body.length - 5)}${body}`);
  t.is(short.status, 400);
  const long = await rawExchange(server.url, `${headOf(body.length + 5)}${body}`, { end: true });
  t.true(long.status === 400 || long.status === 0);
  for (const length of ['-1', 'x', '1, 2'])
    t.is((await rawExchange(server.url, `${headOf(length)}${body}`)).status, 400);
  t.is(await client.count('Patient?family=partial'), 0);
});

test('hostile elements are findings, not failures', async (t) => {
  const bodies = [
    '{"resourceType":"Patient","name":{"family":"x"}}',
    '{"resourceType":"Patient","name":"x"}',
    '{"resourceType":"Patient","name":[]}',
    '{"resourceType":"Patient","name":[null]}',
    '{"resourceType":"Patient","name":[[{}]]}',
    '{"resourceType":"Patient","name":[{}]}',
    '{"resourceType":"Patient","gender":null}',
    '{"resourceType":"Patient","active":"true"}',
    '{"resourceType":"Patient","birthDate":19300101}',
    '{"resourceType":"Patient","meta":[]}',
    '{"resourceType":"Patient","meta":{"tag":{}}}',
    '{"resourceType":"Patient","contained":[{}]}',
    '{"resourceType":"Patient","contained":[{"resourceType":"Nonsense"}]}',
    '{"resourceType":"Patient","contained":"x"}',
    '{"resourceType":"Patient","_birthDate":7}',
    '{"resourceType":"Patient","link":[{"other":{"reference":7},"type":"refer"}]}',
    '{"resourceType":"Patient","identifier":[{"value":{"a":1}}]}',
    '{"resourceType":"Patient","extension":[{"url":"urn:x","valueNonsense":1}]}',
  ];
  for (const body of bodies) {
    const answer = await client.post('Patient', body);
    assertError(t, answer, 422, 'INVALID_RESOURCE');
  }
});
