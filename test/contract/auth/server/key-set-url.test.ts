import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  type AssertionChanges,
  assertion,
  type ClientKey,
  formOf,
  keySetOf,
  makeKey,
  openTokenServer,
  send,
  tokenUrl,
} from './fixtures.js';

/** A site of a client's own, which counts what it is asked. */
async function openSite(t: ExecutionContext, answer: RequestListener) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/jwks`, asked: () => asked };
}

async function openWorld(t: ExecutionContext, allow: readonly string[] = ['127.0.0.1']) {
  const clock = { now: Date.now() };
  const world = await openTokenServer({ clock: () => clock.now, settings: { outgoingAllow: allow } });
  t.teardown(() => world.server.stop());
  const ask = async (key: ClientKey, client: string, changes: AssertionChanges = {}): Promise<number> => {
    const exp = Math.floor(clock.now / 1000) + 300;
    const all = { ...changes, claims: { exp, ...changes.claims } };
    const jwt = await assertion(key, client, tokenUrl(world.acme), all);
    return (await send(tokenUrl(world.acme), formOf(jwt))).status;
  };
  return { world, clock, ask };
}

test('keys at a URL are fetched once, again for a key that is new, and after five minutes', async (t) => {
  const [first, second] = await Promise.all([makeKey('ES384'), makeKey('RS384')]);
  let keys = keySetOf(first);
  const site = await openSite(t, (_, response) => void response.end(keys));
  const { world, clock, ask } = await openWorld(t);
  const client = await world.register('acme', { scope: 'system/*.rs', jwksUrl: site.url });
  t.deepEqual(await Promise.all([ask(first, client), ask(first, client)]), [200, 200]);
  t.is(site.asked(), 1);
  keys = keySetOf(second);
  t.is(await ask(second, client), 400);
  t.is(await ask(second, client), 400);
  t.is(site.asked(), 1, 'keys that nobody has are not looked for again and again');
  clock.now += 16_000;
  t.is(await ask(second, client), 200);
  t.is(site.asked(), 2);
  t.is(await ask(first, client), 400);
  clock.now += 301_000;
  t.is(await ask(second, client), 200);
  t.is(site.asked(), 3);
});

test('a jku is believed where it is the URL that is registered, and never followed', async (t) => {
  const key = await makeKey('ES384');
  const other = await openSite(t, (_, response) => void response.end(keySetOf(key)));
  const site = await openSite(t, (_, response) => void response.end(keySetOf(key)));
  const { world, ask } = await openWorld(t);
  const client = await world.register('acme', { scope: 'system/*.rs', jwksUrl: site.url });
  t.is(await ask(key, client, { header: { jku: site.url } }), 200);
  for (const jku of [other.url, `${site.url}#x`, site.url.toUpperCase(), `${site.url}/`])
    t.is(await ask(key, client, { header: { jku } }), 400, jku);
  t.is(other.asked(), 0);
});

test('a site that fails, redirects, sends nonsense or too much gives no keys, and is asked again later', async (t) => {
  const key = await makeKey('ES384');
  const answers: readonly RequestListener[] = [
    (_, response) => void response.writeHead(500).end(keySetOf(key)),
    (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/jwks' }).end(),
    (_, response) => void response.end('<html>'),
    (_, response) => void response.end('x'.repeat(2 ** 21)),
    (_, response) => void response.destroy(),
  ];
  let answer: RequestListener | undefined;
  const site = await openSite(t, (request, response) =>
    answer ? answer(request, response) : void response.end(keySetOf(key)),
  );
  const { world, clock, ask } = await openWorld(t);
  for (const [index, wrong] of answers.entries()) {
    answer = wrong;
    const jwksUrl = `${site.url}?${index}`;
    const client = await world.register('acme', { scope: 'system/*.rs', jwksUrl });
    t.is(await ask(key, client), 400, String(index));
    answer = undefined;
    clock.now += 16_000;
    t.is(await ask(key, client), 200, String(index));
  }
});

test('private addresses are not asked unless the settings allow it', async (t) => {
  const key = await makeKey('ES384');
  const site = await openSite(t, (_, response) => void response.end(keySetOf(key)));
  const { world, ask } = await openWorld(t, []);
  const client = await world.register('acme', { scope: 'system/*.rs', jwksUrl: site.url });
  t.is(await ask(key, client), 400);
  t.is(site.asked(), 0);
});
