import { createHash, randomBytes } from 'node:crypto';
import test from 'ava';
import { createTestServer, type TestServer } from '../../support/test-server.js';

const server: TestServer = await createTestServer({
  partitions: ['acme', 'beta'],
  settings: { maxBinaryBytes: 4_000_000 },
});
test.after.always(() => server.stop());

const SIZES = {
  empty: 0,
  small: 10,
  'just inline': 256 * 1024,
  'just a blob': 256 * 1024 + 1,
  large: 3_000_000,
};

async function upload(
  content: Uint8Array,
  type = 'image/png',
): Promise<{ readonly id: string; readonly response: Response }> {
  const response = await server.fetch('acme/Binary', {
    method: 'POST',
    body: new Uint8Array(content),
    headers: { 'content-type': type },
  });
  const { id } = (await response.json()) as { id: string };
  return { id, response };
}

async function download(
  path: string,
  init?: RequestInit,
): Promise<{ readonly type: string | null; readonly digest: string }> {
  const response = await server.fetch(path, init);
  return {
    type: response.headers.get('content-type'),
    digest: digest(new Uint8Array(await response.arrayBuffer())),
  };
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

for (const [name, size] of Object.entries(SIZES)) {
  test(`${name} content (${size} bytes) comes back as it was, raw and as FHIR JSON`, async (t) => {
    const content = randomBytes(size);
    const { id, response } = await upload(content);
    t.is(response.status, 201);
    t.deepEqual(await download(`acme/Binary/${id}`), { type: 'image/png', digest: digest(content) });
    const json = await server.fetch(`acme/Binary/${id}`, { headers: { accept: 'application/fhir+json' } });
    const resource = (await json.json()) as { contentType: string; data?: string };
    t.is(resource.contentType, 'image/png');
    t.is(digest(Buffer.from(resource.data ?? '', 'base64')), digest(content));
  });
}

test('the neighbour sees neither the resource nor its content', async (t) => {
  const { id } = await upload(randomBytes(400_000));
  const foreign = await server.fetch(`beta/Binary/${id}`);
  const unknown = await server.fetch('beta/Binary/never-used');
  t.is(foreign.status, 404);
  t.is((await foreign.text()).replaceAll(id, 'ID'), (await unknown.text()).replaceAll('never-used', 'ID'));
});

test('a label that is added keeps content that is not in the resource', async (t) => {
  const content = randomBytes(400_000);
  const { id } = await upload(content);
  const meta = {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'scan' }] } }],
  };
  const added = await server.fetch(`acme/Binary/${id}/$meta-add`, {
    method: 'POST',
    body: JSON.stringify(meta),
    headers: { 'content-type': 'application/fhir+json' },
  });
  t.is(added.status, 200);
  t.is((await download(`acme/Binary/${id}`)).digest, digest(content));
});

test('an update replaces the content, and the version before can still be read', async (t) => {
  const [before, after] = [randomBytes(300_000), randomBytes(20)];
  const { id } = await upload(before);
  const updated = await server.fetch(`acme/Binary/${id}`, {
    method: 'PUT',
    body: new Uint8Array(after),
    headers: { 'content-type': 'text/plain' },
  });
  t.is(updated.status, 200);
  t.deepEqual(await download(`acme/Binary/${id}`), { type: 'text/plain', digest: digest(after) });
  t.deepEqual(await download(`acme/Binary/${id}/_history/1`), { type: 'image/png', digest: digest(before) });
});

test('content over the limit is 413 and leaves nothing behind', async (t) => {
  const partition = await server.bulkhead.partitions.create({ name: 'limits' });
  const response = await server.fetch('limits/Binary', {
    method: 'POST',
    body: new Uint8Array(4_000_001),
    headers: { 'content-type': 'image/png' },
  });
  t.is(response.status, 413);
  const left = await server.bulkhead.parts.partitions.contents(partition.id);
  t.deepEqual(left, { resources: 0, versions: 0, indexRows: 0 });
});

test('a client cannot point at content of its choosing', async (t) => {
  const extension = [{ url: 'urn:bulkhead:blob', valueString: 'guessed' }];
  const response = await server.fetch('acme/Binary', {
    method: 'POST',
    body: JSON.stringify({ resourceType: 'Binary', contentType: 'text/plain', _data: { extension } }),
    headers: { 'content-type': 'application/fhir+json' },
  });
  t.is(response.status, 400);
});

test('lists show a large Binary without content and without a word of where it is', async (t) => {
  const { id } = await upload(randomBytes(400_000));
  for (const path of [`acme/Binary?_id=${id}`, `acme/Binary/${id}/_history`]) {
    const response = await server.fetch(path);
    const text = await response.text();
    t.false(text.includes('urn:bulkhead:blob'), path);
    const bundle = JSON.parse(text) as {
      entry: { resource: { contentType: string; meta: { tag: { code: string }[] } } }[];
    };
    t.is(bundle.entry[0]?.resource.contentType, 'image/png');
    t.deepEqual(
      bundle.entry[0]?.resource.meta.tag.map(({ code }) => code),
      ['SUBSETTED'],
    );
  }
});

test('HTML is served so that a browser does not run it', async (t) => {
  const { id } = await upload(Buffer.from('<script>1</script>'), 'text/html');
  const response = await server.fetch(`acme/Binary/${id}`);
  t.is(
    response.headers.get('content-security-policy'),
    "sandbox; default-src 'none'; frame-ancestors 'none'",
  );
  t.is(response.headers.get('x-content-type-options'), 'nosniff');
});

test('If-Match holds for the version that raw content replaces, not for the one at the start of the upload', async (t) => {
  const { id } = await upload(Buffer.from('first'));
  const headers = { 'content-type': 'text/plain' };
  const content = new TransformStream<Uint8Array, Uint8Array>();
  const writer = content.writable.getWriter();
  const late = server.fetch(`acme/Binary/${id}`, {
    method: 'PUT',
    body: content.readable,
    headers: { ...headers, 'if-match': 'W/"1"' },
    duplex: 'half',
  } as RequestInit);
  await writer.write(Buffer.from('late'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = await server.fetch(`acme/Binary/${id}`, { method: 'PUT', body: 'second', headers });
  t.is(second.status, 200);
  await writer.close();
  t.is((await late).status, 412);
});

test('raw content is refused under a condition, instead of being stored without it', async (t) => {
  const headers = { 'content-type': 'text/plain' };
  const created = await server.fetch('acme/Binary', {
    method: 'POST',
    body: 'x',
    headers: { ...headers, 'if-none-exist': '_tag=urn:t|1' },
  });
  t.is(created.status, 400);
  const updated = await server.fetch('acme/Binary?_tag=urn:t|1', { method: 'PUT', body: 'x', headers });
  t.is(updated.status, 400);
});

test('a patch cannot point at content either', async (t) => {
  const { id } = await upload(Buffer.from('own'));
  const extension = [{ url: 'urn:bulkhead:blob', valueString: 'guessed' }];
  const response = await server.fetch(`acme/Binary/${id}`, {
    method: 'PATCH',
    body: JSON.stringify([{ op: 'add', path: '/_data', value: { extension } }]),
    headers: { 'content-type': 'application/json-patch+json' },
  });
  t.is(response.status, 400);
});
