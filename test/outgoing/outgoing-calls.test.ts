import type { LookupAddress } from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { OutgoingCalls, type OutgoingOptions } from '../../src/outgoing/outgoing-calls.js';
import { OutgoingError } from '../../src/outgoing/outgoing-error.js';

const PUBLIC: LookupAddress = { address: '93.184.215.14', family: 4 };
const LOCAL: LookupAddress = { address: '127.0.0.1', family: 4 };

interface Local {
  readonly port: number;
  readonly requests: () => number;
}

async function aServer(t: ExecutionContext, answer: RequestListener): Promise<Local> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

async function refused(
  t: ExecutionContext,
  options: Partial<OutgoingOptions>,
  url: string,
): Promise<OutgoingError | undefined> {
  const calls = new OutgoingCalls({ allow: [], resolve: async () => [PUBLIC], ...options });
  const error = await t.throwsAsync(calls.call({ url }), { instanceOf: OutgoingError }, url);
  t.is(error?.kind, 'refused', `${url}: ${error?.message}`);
  return error;
}

const URLS = [
  'https://127.0.0.1/',
  'https://127.1/',
  'https://0/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[fd00::1]/',
  'https://169.254.169.254/latest/meta-data',
  'https://10.0.0.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://134744072/',
  'https://8.8.2056/',
  'https://127。0。0。1/',
  'https://①②⑦.0.0.1/',
  'https://user@idp.example/',
  'https://idp.example:secret@idp.example/',
  'https://idp.example@127.0.0.1/',
  'https://idp.example:22/',
  'https://idp.example:5432/',
  'https://idp.example:6379/',
  'http://idp.example/',
  'http://idp.example:443/',
  'file:///etc/passwd',
  'gopher://idp.example/',
  'ftp://idp.example/',
  'data:application/json,{}',
  'idp.example',
  '//idp.example/',
  'https://',
  '',
];

for (const url of URLS) {
  test(`${JSON.stringify(url)} is not called`, async (t) => {
    await refused(t, {}, url);
  });
}

test('a name is not called if any of its addresses is private', async (t) => {
  for (const addresses of [
    [LOCAL],
    [PUBLIC, LOCAL],
    [{ address: '::1', family: 6 }],
    [{ address: 'fd00::1', family: 6 }],
  ]) {
    await refused(t, { resolve: async () => addresses }, 'https://idp.example/');
  }
  await refused(t, { resolve: async () => [LOCAL] }, 'https://localhost./');
});

test('what is connected to is what was judged, although DNS says something else by then', async (t) => {
  const { port, requests } = await aServer(t, (_request, response) => response.end('{"a":1}'));
  const asked: string[] = [];
  const answers = [[LOCAL], [PUBLIC]];
  const resolve = async (host: string): Promise<readonly LookupAddress[]> => {
    asked.push(host);
    return answers.shift() ?? [];
  };
  const calls = new OutgoingCalls({ allow: ['127.0.0.1'], resolve });
  const answer = await calls.call({ url: `http://rebind.example:${port}/` });
  t.deepEqual(answer, { status: 200, text: '{"a":1}' });
  t.deepEqual(asked, ['rebind.example']);
  t.is(requests(), 1);
});

test('a name that is public at first and private at the next call is refused then', async (t) => {
  const { port, requests } = await aServer(t, (_request, response) => response.end('{}'));
  const answers = [[LOCAL], [{ address: '127.0.0.2', family: 4 }]];
  const calls = new OutgoingCalls({ allow: ['127.0.0.1'], resolve: async () => answers.shift() ?? [] });
  await calls.call({ url: `http://rebind.example:${port}/` });
  const error = await t.throwsAsync(calls.call({ url: `http://rebind.example:${port}/` }), {
    instanceOf: OutgoingError,
  });
  t.is(error?.kind, 'refused');
  t.is(requests(), 1);
});

test('no redirect is followed', async (t) => {
  const inner = await aServer(t, (_request, response) => response.end('secret'));
  const outer = await aServer(t, (_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/` }).end();
  });
  await refused(t, { origins: [`http://127.0.0.1:${outer.port}`] }, `http://127.0.0.1:${outer.port}/`);
  t.is(inner.requests(), 0);
});

test('an origin that the operator wrote down is called, and no other port of it', async (t) => {
  const { port } = await aServer(t, (_request, response) => response.end('{}'));
  const other = await aServer(t, (_request, response) => response.end('{}'));
  const origins = [`http://127.0.0.1:${port}`];
  const calls = new OutgoingCalls({ allow: [], origins });
  t.is((await calls.call({ url: `http://127.0.0.1:${port}/a` })).status, 200);
  await refused(t, { origins }, `http://127.0.0.1:${other.port}/`);
  t.is(other.requests(), 0);
});

test('an answer that does not end, or has too many bytes, is given up', async (t) => {
  const { port } = await aServer(t, (request, response) => {
    if (request.url === '/large') response.end('x'.repeat(2000));
    else response.write('{');
  });
  const calls = new OutgoingCalls({ allow: ['127.0.0.1'], timeoutMs: 300, maxBytes: 1000 });
  for (const path of ['large', 'slow']) {
    const error = await t.throwsAsync(calls.call({ url: `http://127.0.0.1:${port}/${path}` }), {
      instanceOf: OutgoingError,
    });
    t.is(error?.kind, 'failed', path);
  }
});

test('a resolver that never answers is given up', async (t) => {
  const calls = new OutgoingCalls({ allow: [], timeoutMs: 100, resolve: () => new Promise(() => undefined) });
  const error = await t.throwsAsync(calls.call({ url: 'https://idp.example/' }), {
    instanceOf: OutgoingError,
  });
  t.is(error?.kind, 'failed');
});
