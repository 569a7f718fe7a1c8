import test from 'ava';
import { rateLimit } from '../../interceptors/rate-limit.js';
import type { Rate } from '../../interceptors/rate-limit.js';
import { partitionGuard } from '../../interceptors/partition-guard.js';
import { PATIENT, aPartition, aRequest, refused, select, send, serve } from './fixtures.js';

const HELD_MS = 300;
const ACME = { partitions: [aPartition(1, 'acme')] };
const BETA = { partitions: [aPartition(2, 'beta')] };

const rateOf = (tenant: string): Rate | undefined =>
  tenant === 'free' ? undefined : { requests: 2, seconds: 10 };

/** Two requests in ten seconds, and a clock that is set. */
function limited() {
  const clock = { now: 0 };
  return { clock, interceptor: rateLimit({ rateOf, clock: () => clock.now }) };
}

test('more than a period allows is refused until there is one more, and says when that is', async (t) => {
  const { clock, interceptor } = limited();
  for (let n = 0; n < 2; n++) await select(interceptor, aRequest(), ACME);
  const error = await refused(t, () => select(interceptor, aRequest(), ACME), 'TOO_MANY_REQUESTS');
  t.is(error.options.headers?.['retry-after'], '5');
  clock.now = 4_999;
  await refused(t, () => select(interceptor, aRequest(), ACME), 'TOO_MANY_REQUESTS');
  clock.now = 5_001;
  await t.notThrowsAsync(select(interceptor, aRequest(), ACME));
  await refused(t, () => select(interceptor, aRequest(), ACME), 'TOO_MANY_REQUESTS');
});

test('partitions do not notice each other, and some have no limit', async (t) => {
  const { interceptor } = limited();
  for (let n = 0; n < 3; n++) await select(interceptor, aRequest(), ACME).catch(() => undefined);
  await t.notThrowsAsync(select(interceptor, aRequest(), BETA));
  for (let n = 0; n < 10; n++)
    await t.notThrowsAsync(select(interceptor, aRequest(), { partitions: [aPartition(3, 'free')] }));
});

test('a refusal is held back where that is asked for, and an answer never', async (t) => {
  const interceptor = rateLimit({ rateOf, refuseAfterMs: HELD_MS });
  const took = async (request: ReturnType<typeof aRequest>): Promise<number> => {
    const began = performance.now();
    await select(interceptor, request, ACME).catch(() => undefined);
    return performance.now() - began;
  };
  t.true((await took(aRequest())) < HELD_MS / 2);
  t.true((await took(aRequest())) < HELD_MS / 2);
  // Not all of them for as long: they would come back together.
  const held = await Promise.all(Array.from({ length: 20 }, () => took(aRequest())));
  t.true(Math.min(...held) >= HELD_MS / 2 - 1);
  t.true(Math.max(...held) - Math.min(...held) > HELD_MS / 4);
  // Thousands of entries would hold a bundle for minutes.
  t.true((await took(aRequest({ parent: aRequest() }))) < HELD_MS / 2);
});

test('a request that selects twice counts once', async (t) => {
  const { interceptor } = limited();
  const request = aRequest();
  for (let n = 0; n < 5; n++) await t.notThrowsAsync(select(interceptor, request, ACME));
});

test('of two limits each counts for itself', async (t) => {
  const { interceptor } = limited();
  const perDay = rateLimit({ rateOf: () => ({ requests: 1, seconds: 86_400 }), clock: () => 0 });
  const ask = async (): Promise<void> => {
    const request = aRequest();
    await select(interceptor, request, ACME);
    await select(perDay, request, ACME);
  };
  await ask();
  await refused(t, ask, 'TOO_MANY_REQUESTS');
  await refused(t, () => select(interceptor, aRequest(), ACME), 'TOO_MANY_REQUESTS');
});

test('over HTTP, answers say what is left, and entries of a bundle count', async (t) => {
  const clock = { now: 0 };
  const server = await serve(t, {
    partitions: ['acme', 'beta'],
    interceptors: [rateLimit({ rateOf: () => ({ requests: 4, seconds: 60 }), clock: () => clock.now })],
  });
  const first = await send(server, 'acme/Patient');
  t.is(first.headers.get('ratelimit-remaining'), '3');
  t.is(first.headers.get('ratelimit-limit'), '4');
  const entry = [1, 2, 3].map(() => ({ resource: PATIENT, request: { method: 'POST', url: 'Patient' } }));
  const refusal = await send(server, 'acme', {
    body: { resourceType: 'Bundle', type: 'transaction', entry },
  });
  t.is(refusal.status, 429);
  t.truthy(refusal.headers.get('retry-after'));
  t.is((await send(server, 'acme/Patient')).status, 429);
  t.is((await send(server, 'beta/Patient')).status, 200);
  clock.now = 60_000;
  const { status, body } = await send(server, 'acme/Patient');
  t.is(status, 200);
  t.is(body['total'], 0);
});

test('over HTTP, errors say what is left too, but not those that let nobody in', async (t) => {
  const server = await serve(t, {
    partitions: ['acme'],
    interceptors: [
      rateLimit({ rateOf: () => ({ requests: 4, seconds: 60 }), clock: () => 0 }),
      partitionGuard({ allow: ({ target }) => target.resourceType !== 'Group' }),
    ],
  });
  const remaining = async (path: string, status: number): Promise<string | null> => {
    const answer = await send(server, path);
    t.is(answer.status, status, path);
    return answer.headers.get('ratelimit-remaining');
  };
  t.is(await remaining('acme/Patient/none', 404), '3');
  t.is(await remaining('acme/Patient?nonsense=1', 400), '2');
  t.is(await remaining('acme/Group/none', 403), null);
  t.is(await remaining('nobody/Patient', 404), null);
  t.is(await remaining('acme/Patient/none/_history', 404), '0');
  t.is(await remaining('acme/Patient/none', 429), '0');
});
