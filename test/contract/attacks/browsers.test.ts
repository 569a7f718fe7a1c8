import test from 'ava';
import { defaultSettings } from '../../../src/settings.js';
import type { Settings } from '../../../src/settings/schema.js';
import { freePort } from '../../support/free-port.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { rawExchange } from '../support/raw-exchange.js';

const server = await createTestServer({ partitions: ['acme'] });
const client = new FhirClient(server.url);
const { origin } = new URL(server.url);
test.after.always(() => server.stop());

const EVERY_ANSWER: Readonly<Record<string, RegExp>> = {
  'cache-control': /^(private, )?no-store$/,
  'x-content-type-options': /^nosniff$/,
  'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
  'referrer-policy': /^no-referrer$/,
};

const ASKED: readonly (readonly [method: string, path: string])[] = [
  ['GET', 'metadata'],
  ['GET', 'acme/Patient'],
  ['HEAD', 'acme/Patient'],
  ['GET', 'acme/Patient/never'],
  ['GET', 'nobody/Patient'],
  ['POST', 'acme/Patient'],
  ['DELETE', 'acme/Patient/never'],
  ['OPTIONS', 'acme/Patient'],
  ['PUT', 'acme'],
  ['GET', 'acme/$nonsense'],
  ['GET', 'acme/_history'],
  ['GET', 'acme/$export-file/1/2'],
  ['GET', 'acme/$export-poll-status?_jobId=1'],
  ['GET', `${origin}/healthz`],
  ['GET', `${origin}/readyz`],
  ['GET', `${origin}/metrics`],
  ['GET', `${origin}/elsewhere`],
];

test('attacks 80 and 100: every answer is data of its asker alone: no sniffing, no scripts, no frames, no store', async (t) => {
  for (const [method, path] of ASKED) {
    const { headers } = await client.send(method, path, method === 'POST' ? { body: {} } : {});
    for (const [name, value] of Object.entries(EVERY_ANSWER))
      t.regex(headers.get(name) ?? '', value, `${method} ${path}: ${name}`);
  }
});

test('attacks 80 and 100: what is no HTTP is answered with the same headers', async (t) => {
  const { headers } = await rawExchange(server.url, 'NONSENSE\r\n\r\n', { end: true });
  for (const name of Object.keys(EVERY_ANSWER)) t.true(headers.includes(`\r\n${name}: `), name);
});

test('attacks 80 and 100: heads that HTTP does not allow are answered with the same headers, and an outcome', async (t) => {
  for (const [status, heads] of [
    [400, 'Connection: close'],
    [417, 'Host: x\r\nExpect: wonders\r\nConnection: close'],
  ] as const) {
    for (const line of ['GET /fhir/metadata', 'PUT /fhir/acme/Patient/never']) {
      const answer = await rawExchange(server.url, `${line} HTTP/1.1\r\n${heads}\r\n\r\n`);
      const { headers, body } = answer;
      t.is(answer.status, status);
      for (const name of Object.keys(EVERY_ANSWER)) t.true(headers.includes(`\r\n${name}: `), name);
      t.regex(body, /"resourceType":"OperationOutcome".*"INVALID_REQUEST"/);
    }
  }
});

test('attack 100: HTML in a Binary cannot run, whatever type it says it has', async (t) => {
  for (const type of ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/html; charset=utf-7']) {
    const { body } = await client.post<{ id: string }>('Binary', '<script>alert(1)</script>', {
      'content-type': type,
    });
    const { headers } = await client.get(`Binary/${body.id}`, { accept: '*/*' });
    t.regex(headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/);
    t.is(headers.get('x-content-type-options'), 'nosniff');
  }
});

test('attack 100: what an error repeats of a request is JSON, and never HTML', async (t) => {
  for (const path of ['acme/<script>', 'acme/Patient?<script>=1', 'acme/Patient/<script>', '<script>/x']) {
    const answer = await client.get(encodeURI(path), { accept: 'text/html' });
    t.true(answer.status >= 400, path);
    t.regex(answer.headers.get('content-type') ?? '', /^application\/fhir\+json/, path);
  }
});

test('attack 80: what an answer depends on is in Vary', async (t) => {
  const { headers } = await client.get('acme/Patient');
  const vary = (headers.get('vary') ?? '').split(', ');
  for (const name of ['Authorization', 'Accept', 'Prefer', 'X-Tenant-ID', 'X-Request-Partition-IDs'])
    t.true(vary.includes(name), name);
});

async function withSettings(settings: Partial<Settings>, work: (client: FhirClient) => Promise<void>) {
  const other = await createTestServer({ settings });
  try {
    await work(
      new FhirClient(settings.publicUrl === undefined ? other.url : `http://127.0.0.1:${settings.port}/fhir`),
    );
  } finally {
    await other.stop();
  }
}

test('attack 80: Strict-Transport-Security is said where clients come by https, and only there', async (t) => {
  t.is((await client.get('metadata')).headers.get('strict-transport-security'), null);
  for (const scheme of ['http', 'https']) {
    const settings = { publicUrl: `${scheme}://fhir.example.org`, port: await freePort() };
    await withSettings(settings, async (public_) => {
      const said = (await public_.get('metadata')).headers.get('strict-transport-security');
      t.is(said, scheme === 'https' ? 'max-age=31536000' : null);
    });
  }
});

test('attack 102: no origin is ever allowed credentials, and with * no origin is named', async (t) => {
  for (const from of ['https://evil.example', 'null', 'http://localhost']) {
    const { headers } = await client.get('metadata', { origin: from });
    t.is(headers.get('access-control-allow-origin'), '*');
    t.is(headers.get('access-control-allow-credentials'), null);
    t.regex(headers.get('access-control-expose-headers') ?? '', /Content-Location.*X-Request-Id/);
  }
});

test('attack 102: pages may read what they need to go on with tokens, files and limits', async (t) => {
  const { headers } = await client.get('metadata', { origin: 'https://app.example' });
  const exposed = headers.get('access-control-expose-headers')?.split(', ') ?? [];
  for (const name of [
    'WWW-Authenticate',
    'Content-Range',
    'Content-Disposition',
    'RateLimit-Remaining',
    'Quota-Remaining',
  ])
    t.true(exposed.includes(name), name);
});

test('attack 102: with a list, only its origins are allowed, letter by letter, and null never is', async (t) => {
  await withSettings({ corsOrigins: ['https://app.example'] }, async (strict) => {
    for (const [from, isAllowed] of [
      ['https://app.example', true],
      ['https://app.example.evil.example', false],
      ['https://evil.example', false],
      ['http://app.example', false],
      ['https://app.example:8443', false],
      ['https://APP.example', false],
      ['null', false],
      ['*', false],
    ] as const) {
      const { headers } = await strict.get('metadata', { origin: from });
      t.is(headers.get('access-control-allow-origin'), isAllowed ? from : null, from);
      t.is(headers.get('access-control-allow-credentials'), null);
      t.true((headers.get('vary') ?? '').includes('Origin'));
      const preflight = await strict.send('OPTIONS', 'Patient', { headers: { origin: from } });
      t.is(preflight.headers.get('access-control-allow-origin'), isAllowed ? from : null, from);
    }
  });
  for (const bad of [
    'null',
    'https://app.example/',
    'app.example',
    'https://*.example',
    'https://u:p@app.example',
  ])
    t.throws(() => defaultSettings({ corsOrigins: [bad] }), { name: 'SettingsError' }, bad);
});

async function allowedHeaders(asked: string): Promise<string | null> {
  const headers = { 'access-control-request-headers': asked };
  return (await client.send('OPTIONS', 'Patient', { headers })).headers.get('access-control-allow-headers');
}

test('attack 102: a preflight repeats names of headers, and nothing else', async (t) => {
  t.is(await allowedHeaders('content-type, if-none-exist'), 'content-type, if-none-exist');
  for (const asked of ['<script>', 'a'.repeat(100), 'a: b', `${'a,'.repeat(100)}a`])
    t.is(await allowedHeaders(asked), 'Content-Type, Accept, Authorization, Prefer', asked);
});
