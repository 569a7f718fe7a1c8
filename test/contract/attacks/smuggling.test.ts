import test from 'ava';
import type { Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { rawExchange } from '../support/raw-exchange.js';
import { openSocket, statusesOf } from './sockets.js';

const server = await createTestServer({
  partitions: ['acme', 'beta'],
  settings: { maxPipelinedRequests: 8 },
});
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

const JSON_TYPE = 'Content-Type: application/fhir+json\r\n';
const SMUGGLED = 'GET /fhir/beta/Patient HTTP/1.1\r\nHost: x\r\n\r\n';

/** Sends a head line by line, and closes. */
function exchange(...lines: readonly string[]) {
  return rawExchange(server.url, lines.join('\r\n'), { end: true });
}

test('attack 94: a length beside Transfer-Encoding, or two of either, is 400, and what follows is never served', async (t) => {
  for (const lengths of [
    ['Content-Length: 4', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Content-Length: 4'],
    ['Content-Length: 4', 'Content-Length: 5'],
    ['Content-Length: 4, 4'],
    ['Content-Length: +4'],
    ['Content-Length: 0x4'],
    ['Content-Length : 4'],
    ['Transfer-Encoding : chunked'],
    ['Transfer-Encoding: xchunked'],
    ['Transfer-Encoding: chunked, identity'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    ['Transfer-Encoding:\u000bchunked'],
  ]) {
    const head = [
      'POST /fhir/acme/Patient HTTP/1.1',
      'Host: x',
      JSON_TYPE.trim(),
      ...lengths,
      '',
      '0',
      '',
      '',
    ];
    const { status, body } = await exchange(...head, SMUGGLED);
    t.is(status, 400, lengths.join());
    t.false(body.includes('"Bundle"'), lengths.join());
  }
});

test('attack 94: chunks that are no chunks are 400', async (t) => {
  const head = [
    'POST /fhir/acme/Patient HTTP/1.1',
    'Host: x',
    JSON_TYPE.trim(),
    'Transfer-Encoding: chunked',
    '',
  ];
  for (const chunk of ['-1', '0x2', 'ffffffffffffffffff', 'g', ' 2', '2\u0000', '']) {
    const { status } = await exchange(...head, chunk, '{}', '0', '', '');
    t.is(status, 400, JSON.stringify(chunk));
  }
  const endless = await exchange(...head, `2;${'x=y;'.repeat(10_000)}`, '{}', '0', '', '');
  t.true([400, 413].includes(endless.status), String(endless.status));
});

test('attack 94: a chunk extension changes nothing of the body', async (t) => {
  const body = '{"resourceType":"Patient","name":[{"family":"chunky"}]}';
  const size = body.length.toString(16);
  const head =
    'POST /fhir/acme/Patient HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n';
  const chunks = `${size};name="value"\r\n${body}\r\n0\r\nX-Tenant-ID: beta\r\n\r\n`;
  const { status } = await rawExchange(server.url, `${head}${JSON_TYPE}\r\n${chunks}`);
  t.is(status, 201);
  t.is(await client.tenant('acme').count('Patient?family=chunky'), 1);
  t.is(await client.tenant('beta').count('Patient?family=chunky'), 0);
});

test('attack 94: folded headers, bare line ends and spaces in the request line are 400', async (t) => {
  for (const request of [
    'GET /fhir/acme/Patient HTTP/1.1\r\nHost: x\r\nX-Tenant-ID: acme\r\n beta\r\n\r\n',
    'GET /fhir/acme/Patient HTTP/1.1\r\nHost: x\r\nX-A: b\rX-Tenant-ID: beta\r\n\r\n',
    'GET /fhir/acme/Patient HTTP/1.1\r\nHost: x\r\nX-A: b\u0000c\r\n\r\n',
    'GET /fhir/acme/ Patient HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /fhir/acme/Patient HTTP/1.1\r\n Host: x\r\n\r\n',
  ]) {
    const { status, body } = await rawExchange(server.url, request, { end: true });
    t.is(status, 400, JSON.stringify(request));
    t.false(body.includes('"Bundle"'));
  }
});

test('attack 94: a Host, an authorization or a type that is there twice is 400, and no Host too', async (t) => {
  for (const name of ['Host', 'HOST', 'Authorization', 'Content-Type', 'Content-Encoding']) {
    const host = name.toLowerCase() === 'host' ? '' : 'Host: x\r\n';
    const { status } = await rawExchange(
      server.url,
      `GET /fhir/metadata HTTP/1.1\r\n${host}${name}: a\r\n${name}: b\r\n\r\n`,
      { end: true },
    );
    t.is(status, 400, name);
  }
  t.is((await rawExchange(server.url, 'GET /fhir/metadata HTTP/1.1\r\n\r\n', { end: true })).status, 400);
});

test('attack 94: what holds for heads holds for preflights and for requests of tokens too', async (t) => {
  const guarded = await createTestServer({ settings: { auth: 'on' } });
  t.teardown(() => guarded.stop());
  const twice = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Type: text/plain\r\n';
  for (const line of [
    'POST /fhir/auth/token',
    'GET /.well-known/smart-configuration',
    'OPTIONS /fhir/Patient',
  ]) {
    const { status, body } = await rawExchange(
      guarded.url,
      `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${twice}Content-Length: 0\r\n\r\n`,
    );
    t.is(status, 400, line);
    t.true(body.includes('content-type is there more than once'), body);
  }
});

function ask(tenant: string, last = ''): string {
  return `GET /fhir/${tenant}/Patient/same HTTP/1.1\r\nHost: x\r\n${last}\r\n`;
}

test('attack 94: pipelined requests of several tenants are answered each from its own, in order', async (t) => {
  for (const tenant of ['acme', 'beta']) {
    await client.tenant(tenant).put('Patient/same', {
      resourceType: 'Patient',
      id: 'same',
      name: [{ family: `of-${tenant}` }],
    });
  }
  const body = '{"resourceType":"Patient","name":[{"family":"between"}]}';
  const create = `POST /fhir/beta/Patient HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;
  const open = await openSocket(
    server.url,
    ask('acme') + ask('beta') + create + ask('acme') + ask('nobody') + ask('beta', 'Connection: close\r\n'),
  );
  const text = (await open.closed()) ?? '';
  t.deepEqual(statusesOf(text), [200, 200, 201, 200, 404, 200]);
  const families = [...text.matchAll(/"family":"([\w-]+)"/g)].map(([, family]) => family);
  t.deepEqual(families, ['of-acme', 'of-beta', 'between', 'of-acme', 'of-beta']);
});

test('attack 94: more pipelined requests than may wait end the connection', async (t) => {
  const open = await openSocket(server.url, 'GET /fhir/_history HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000));
  const text = await open.closed();
  t.not(text, undefined);
  t.true(statusesOf(text ?? '').length <= 9);
  t.is((await client.get('metadata')).status, 200);
});

test('fault header flood: too many headers, or too large ones, are 431', async (t) => {
  const many = Array.from({ length: 2_000 }, (_, index) => `a${index}: 1`);
  const large = Array.from({ length: 20 }, (_, index) => `a${index}: ${'x'.repeat(1_000)}`);
  for (const headers of [many, many.slice(0, 250), large]) {
    const { status, body } = await exchange('GET /fhir/metadata HTTP/1.1', 'Host: x', ...headers, '', '');
    t.is(status, 431);
    t.true(body.includes('LIMIT_EXCEEDED'));
  }
});

test('attack 17: the Host and forwarding headers never get into URLs, and choose nothing', async (t) => {
  const base = new URL(server.url);
  for (const host of ['evil.example', 'beta.example:x@good', 'beta', `${base.host}@evil.example`]) {
    const body = '{"resourceType":"Patient"}';
    const forwarded = `X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: ftp\r\nX-Forwarded-Prefix: /evil\r\n`;
    const { status, headers } = await rawExchange(
      server.url,
      `POST /fhir/acme/Patient HTTP/1.1\r\nHost: ${host}\r\n${forwarded}Forwarded: host=evil.example\r\n${JSON_TYPE}` +
        `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    t.is(status, 201);
    t.false(headers.includes('evil'), headers);
    t.true(headers.includes(`location: ${server.url}/acme/patient/`), headers);
  }
  const { text } = await client.get<Patient>('acme/Patient', { 'x-forwarded-host': 'evil.example' });
  t.false(text.includes('evil'));
});

/** What a target is answered with by GET; the header Host names yet another place. */
function answerTo(target: string) {
  const request = `GET ${target} HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n`;
  return rawExchange(server.url, request);
}

test('attack 17: a target that is a whole URL is answered as its path is, and its host is nowhere', async (t) => {
  for (const tenant of ['acme', 'beta']) {
    const absolute = { resourceType: 'Patient', id: 'absolute', name: [{ family: `whole-${tenant}` }] };
    await client.tenant(tenant).put('Patient/absolute', absolute);
  }
  for (const origin of [
    'http://evil.example',
    'HTTPS://evil.example:8443',
    'http://beta',
    'http://[::1]:1',
  ]) {
    const { status, headers, body } = await answerTo(`${origin}/fhir/acme/Patient?_id=absolute`);
    t.is(status, 200, origin);
    t.true(body.includes('whole-acme'), body);
    t.false(body.includes('whole-beta'), body);
    t.true(body.includes(`${server.url}/acme/Patient/absolute`), body);
    t.false(`${headers}${body}`.includes('evil'), headers);
  }
  t.is((await answerTo('http://evil.example/readyz')).status, 200);
  t.is((await answerTo('http://evil.example/fhir/nobody/Patient')).status, 404);
  t.is((await answerTo('http://evil.example')).status, 404);
  t.is((await answerTo('http://evil.example?_id=1')).status, 404);
  t.is((await answerTo('http://evil.example/fhir//Patient')).status, 400);
});

test('attack 17: a whole URL that is none of HTTP is 400', async (t) => {
  for (const target of [
    'http://beta@evil.example/fhir/acme/Patient',
    'ftp://evil.example/fhir/acme/Patient',
    'http:///fhir/acme/Patient',
    'http:fhir/acme/Patient',
    'fhir/acme/Patient',
    '*',
  ]) {
    const { status, body } = await answerTo(target);
    t.is(status, 400, target);
    t.false(body.includes('"Bundle"'), body);
  }
});
