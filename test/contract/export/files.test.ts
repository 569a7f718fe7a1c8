import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { assertError } from '../support/fhir-client.js';
import { exported, openExportServer, patientOf, store } from './fixtures.js';

const { server, acme } = await openExportServer();
let url = '';
let text = '';
let etag = '';
test.before(async () => {
  await store(acme, patientOf('a', { name: [{ family: 'Ähre 🌾' }] }), patientOf('b'));
  url = (await exported(acme, '$export')).manifest.output[0]!.url;
  const whole = await acme.get(url, { 'accept-encoding': 'identity' });
  text = whole.text;
  etag = whole.headers.get('etag') ?? '';
});
test.after.always(() => server.stop());

interface Raw {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Without what fetch adds, and without its unpacking. */
function raw(method: string, headers: Readonly<Record<string, string>> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    asked.on('error', reject).end();
  });
}

test('a file comes without any Accept, with its name and its size', async (t) => {
  const { status, headers, body } = await raw('GET');
  t.is(status, 200);
  t.is(headers['content-type'], 'application/fhir+ndjson');
  t.is(headers['content-disposition'], 'attachment; filename="Patient.1.ndjson"');
  t.is(headers['content-length'], String(body.length));
  t.is(headers['accept-ranges'], 'bytes');
  t.is(headers['content-encoding'], undefined);
  t.is(body.toString('utf8'), text);
  t.is((await raw('GET', { accept: 'application/fhir+ndjson' })).status, 200);
});

test('gzip is packed on the way, and is what it was', async (t) => {
  const { status, headers, body } = await raw('GET', { 'accept-encoding': 'gzip, deflate, br, identity' });
  t.is(status, 200);
  t.is(headers['content-encoding'], 'gzip');
  t.regex(String(headers['vary']), /(?:^|, )accept-encoding(?:,|$)/);
  t.is(gunzipSync(body).toString('utf8'), text);
  t.not(headers['etag'], etag);
  t.is((await raw('GET', { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding'], undefined);
});

test('ranges are parts of the bytes', async (t) => {
  const bytes = Buffer.from(text);
  const size = bytes.length;
  const cases: readonly (readonly [string, number, number])[] = [
    ['bytes=0-9', 0, 10],
    ['bytes=10-', 10, size],
    ['bytes=-5', size - 5, size],
    [`bytes=5-${size + 100}`, 5, size],
  ];
  for (const [range, start, end] of cases) {
    const { status, headers, body } = await raw('GET', { range, 'accept-encoding': 'gzip' });
    t.is(status, 206, range);
    t.is(headers['content-range'], `bytes ${start}-${end - 1}/${size}`);
    t.deepEqual(body, bytes.subarray(start, end));
  }
  const beyond = await raw('GET', { range: `bytes=${size}-` });
  t.is(beyond.status, 416);
  t.is(beyond.headers['content-range'], `bytes */${size}`);
  for (const range of ['bytes=0-1,3-4', 'lines=0-1', 'bytes=9-1'])
    t.is((await raw('GET', { range })).status, 200, range);
});

test('a range of another version is the whole file', async (t) => {
  t.is((await raw('GET', { range: 'bytes=0-9', 'if-range': etag })).status, 206);
  t.is((await raw('GET', { range: 'bytes=0-9', 'if-range': '"other"' })).status, 200);
});

test('what a client has already is not sent again', async (t) => {
  const zipped = (await raw('GET', { 'accept-encoding': 'gzip' })).headers['etag'] as string;
  for (const tag of [etag, zipped, `"x", W/${etag}`, '*']) {
    const { status, body } = await raw('GET', { 'if-none-match': tag });
    t.deepEqual([status, body.length], [304, 0], tag);
  }
  t.is((await raw('GET', { 'if-none-match': '"x"' })).status, 200);
});

test('that a client has a file already is said of the tag by which it has it', async (t) => {
  const gzip = { 'accept-encoding': 'gzip' };
  const zipped = (await raw('GET', gzip)).headers['etag'] as string;
  const tagOf = async (tags: string, more = {}) =>
    (await raw('GET', { 'if-none-match': tags, ...more })).headers['etag'];
  t.is(await tagOf(zipped, gzip), zipped);
  t.is(await tagOf(etag, gzip), etag);
  t.is(await tagOf(etag), etag);
  t.is(await tagOf(`${etag}, ${zipped}`, gzip), zipped);
  t.is(await tagOf('*', gzip), zipped);
  t.is(await tagOf('*'), etag);
});

test('a condition that another file meets is 412', async (t) => {
  for (const tag of [etag, etag.replace(/"$/, '-gzip"'), `"x", ${etag}`, '*'])
    t.is((await raw('GET', { 'if-match': tag })).status, 200, tag);
  for (const tag of ['"x"', `W/${etag}`]) {
    assertError(t, await acme.get(url, { 'if-match': tag }), 412, 'PRECONDITION_FAILED');
    t.is((await raw('HEAD', { 'if-match': tag, range: 'bytes=0-3' })).status, 412);
  }
});

test('HEAD has the headers of GET', async (t) => {
  for (const more of [{}, { 'accept-encoding': 'gzip' }, { range: 'bytes=0-3' }]) {
    const [head, get] = [await raw('HEAD', more), await raw('GET', more)];
    t.is(head.status, get.status);
    t.is(head.body.length, 0);
    for (const name of ['content-type', 'content-length', 'content-range', 'content-encoding', 'etag'])
      t.is(head.headers[name], get.headers[name], name);
  }
});

test('a name that is none is not found', async (t) => {
  const folder = url.slice(0, url.lastIndexOf('/'));
  for (const name of ['Patient.2.ndjson', 'Observation.1.ndjson', 'x', '%2e%2e', 'Patient.1.ndjson/x'])
    t.is((await acme.get(`${folder}/${name}`)).status, 404, name);
  const never = url.replace(/[0-9a-f-]{36}/, '00000000-0000-7000-8000-000000000000');
  assertError(t, await acme.get(never), 404, 'NOT_FOUND');
  t.is((await acme.delete(url)).status, 405);
});
