import test from 'ava';
import type { Bundle, BundleEntry } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { type Answer, assertError, FhirClient } from '../support/fhir-client.js';

let now = Date.parse('2024-05-01T10:00:00Z');
const tick = () => (now += 1000);
const server = await createTestServer({
  partitions: ['acme', 'beta', 'types', 'paging', 'all1', 'all2'],
  clock: () => now,
});
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

/** Follows next links to the end. */
async function allPages(from: FhirClient, path: string): Promise<readonly Bundle[]> {
  const pages: Bundle[] = [];
  let url: string | undefined = path;
  while (url !== undefined) {
    const page: Answer<Bundle> = await from.get<Bundle>(url);
    if (page.status !== 200) throw new Error(`${url}: ${page.status} ${page.text}`);
    pages.push(page.body);
    url = page.body.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return pages;
}

function entriesOf(pages: readonly Bundle[]): readonly BundleEntry[] {
  return pages.flatMap(({ entry }) => entry ?? []);
}

test.serial('the history of an instance is newest first and tells what was done', async (t) => {
  const { id } = await acme.createPatient({ gender: 'female' });
  tick();
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id, gender: 'male' });
  tick();
  await acme.delete(`Patient/${id}`);
  const { status, body } = await acme.get<Bundle>(`Patient/${id}/_history`);
  t.is(status, 200);
  t.is(body.type, 'history');
  t.is(body.total, 3);
  const entries = body.entry ?? [];
  t.deepEqual(
    entries.map(({ request }) => request?.method),
    ['DELETE', 'PUT', 'POST'],
  );
  t.deepEqual(
    entries.map(({ response }) => response?.etag),
    ['W/"3"', 'W/"2"', 'W/"1"'],
  );
  t.deepEqual(
    entries.map(({ response }) => response?.status.slice(0, 3)),
    ['204', '200', '201'],
  );
  t.is(entries[0]?.resource, undefined);
  t.is(entries[0]?.request?.url, `Patient/${id}`);
  t.is(entries[0]?.response?.lastModified, '2024-05-01T10:00:02.000Z');
  t.like(entries[1]?.resource, { gender: 'male', meta: { versionId: '2' } });
  t.true(entries.every(({ fullUrl }) => fullUrl === `${acme.base}/Patient/${id}`));
  t.is(body.link?.find(({ relation }) => relation === 'self')?.url, `${acme.base}/Patient/${id}/_history`);
});

test.serial('a resource that was created by PUT begins with a PUT to its URL', async (t) => {
  await acme.put('Patient/chosen', { resourceType: 'Patient', id: 'chosen' });
  const { body } = await acme.get<Bundle>('Patient/chosen/_history');
  t.like(body.entry?.[0], {
    request: { method: 'PUT', url: 'Patient/chosen' },
    response: { status: '201 Created', etag: 'W/"1"' },
  });
});

test.serial('the history of what never was is 404, also where it exists in another tenant', async (t) => {
  assertError(t, await acme.get('Patient/never/_history'), 404, 'NOT_FOUND');
  const { id } = await acme.createPatient();
  assertError(t, await client.tenant('beta').get(`Patient/${id}/_history`), 404, 'NOT_FOUND');
});

test.serial('_since gives versions written at or after a time', async (t) => {
  tick();
  const { id } = await acme.createPatient();
  const first = new Date(now).toISOString();
  tick();
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  const second = new Date(now).toISOString();
  const after = new Date(now + 1).toISOString();
  const total = async (since: string) =>
    (await acme.get<Bundle>(`Patient/${id}/_history?_since=${encodeURIComponent(since)}`)).body.total;
  t.is(await total(first), 2);
  t.is(await total(second), 1);
  t.is(await total(second.replace('Z', '+00:00')), 1);
  t.is(await total(after), 0);
});

test.serial('_at gives the versions that were current at some time of a period', async (t) => {
  tick();
  const { id } = await acme.createPatient();
  const first = now;
  now += 10_000;
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  const at = async (time: number) => {
    const { body } = await acme.get<Bundle>(`Patient/${id}/_history?_at=${new Date(time).toISOString()}`);
    return (body.entry ?? []).map(({ response }) => response?.etag);
  };
  t.deepEqual(await at(first - 1), []);
  t.deepEqual(await at(first + 5000), ['W/"1"']);
  t.deepEqual(await at(now + 5000), ['W/"2"']);
  const day = await acme.get<Bundle>(`Patient/${id}/_history?_at=2024-05-01`);
  t.is(day.body.total, 2);
});

test.serial('_at takes the prefixes of a date search that mean a span', async (t) => {
  tick();
  const { id } = await acme.createPatient();
  const first = new Date(now).toISOString();
  now += 10_000;
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  const second = new Date(now).toISOString();
  const at = async (query: string): Promise<readonly (string | undefined)[]> => {
    const { body } = await acme.get<Bundle>(`Patient/${id}/_history?_at=${query}`);
    return (body.entry ?? []).map(({ response }) => response?.etag);
  };
  const both = ['W/"2"', 'W/"1"'];
  const expected: readonly [string, readonly string[]][] = [
    [`eq${first}`, ['W/"1"']],
    [`ge${first}`, both],
    [`ge${second}`, ['W/"2"']],
    [`gt${second}`, ['W/"2"']],
    [`gt2024-05-01`, ['W/"2"']],
    [`lt${first}`, []],
    [`le${first}`, ['W/"1"']],
    [`lt${second}`, ['W/"1"']],
    [`le${second}`, both],
    ['lt2024-05-01', []],
    ['le2024-05-01', both],
  ];
  for (const [query, tags] of expected) t.deepEqual(await at(query), tags, query);
});

test.serial('what is created again after a delete is 201 in histories, as it was', async (t) => {
  const again = { resourceType: 'Patient', id: 'again' };
  const statuses: number[] = [(await acme.put('Patient/again', again)).status];
  for (const _ of ['second', 'third']) {
    tick();
    statuses.push((await acme.delete('Patient/again')).status);
    tick();
    statuses.push((await acme.put('Patient/again', again)).status);
  }
  tick();
  statuses.push((await acme.put('Patient/again', { ...again, active: true })).status);
  t.deepEqual(statuses, [201, 204, 201, 204, 201, 200]);
  for (const path of ['Patient/again/_history', 'Patient/_history', '_history']) {
    const pages = await allPages(acme, `${path}?_count=2`);
    const own = entriesOf(pages).filter(({ fullUrl }) => fullUrl?.endsWith('/Patient/again'));
    t.deepEqual(own.map(({ response }) => Number(response?.status.slice(0, 3))).toReversed(), statuses, path);
    t.true(own.every(({ request }) => request?.method !== 'POST'));
  }
  const late = await acme.get<Bundle>(`Patient/again/_history?_at=gt${new Date(now - 2000).toISOString()}`);
  t.deepEqual(
    late.body.entry?.map(({ response }) => response?.status),
    ['200 OK', '201 Created', '204 No Content'],
  );
});

test.serial('a history is paged completely, in order, each version once, and the total stays', async (t) => {
  const paging = client.tenant('paging');
  const ids: string[] = [];
  for (let index = 0; index < 7; index++) ids.push((await paging.createPatient()).id);
  for (const id of ids) await paging.put(`Patient/${id}`, { resourceType: 'Patient', id });
  await paging.delete(`Patient/${ids[0]}`);
  for (const path of ['_history', 'Patient/_history']) {
    const pages = await allPages(paging, `${path}?_count=4`);
    const entries = entriesOf(pages);
    t.is(entries.length, 15);
    t.deepEqual(
      pages.map(({ entry }) => entry?.length),
      [4, 4, 4, 3],
    );
    t.true(pages.every(({ total }) => total === 15));
    t.is(new Set(entries.map(({ fullUrl, response }) => `${fullUrl} ${response?.etag}`)).size, 15);
    const times = entries.map(({ response }) => response?.lastModified ?? '');
    t.deepEqual(times, times.toSorted().toReversed());
  }
});

test.serial('versions written while a history is paged do not appear twice', async (t) => {
  const { id } = await acme.createPatient();
  for (let version = 2; version <= 5; version++)
    await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  const first = await acme.get<Bundle>(`Patient/${id}/_history?_count=2`);
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  const next = first.body.link?.find(({ relation }) => relation === 'next')?.url ?? '';
  const rest = await allPages(acme, next);
  t.deepEqual(
    entriesOf([first.body, ...rest]).map(({ response }) => response?.etag),
    ['W/"5"', 'W/"4"', 'W/"3"', 'W/"2"', 'W/"1"'],
  );
});

test.serial('the history of a type has only that type; that of the server has all', async (t) => {
  const types = client.tenant('types');
  await types.createPatient();
  await types.post('Organization', { resourceType: 'Organization', name: 'x' });
  t.is((await types.get<Bundle>('Patient/_history')).body.total, 1);
  t.is((await types.get<Bundle>('Observation/_history')).body.total, 0);
  t.is((await types.get<Bundle>('_history')).body.total, 2);
});

test.serial('the history of all partitions is one list, newest first, paged completely', async (t) => {
  for (let index = 0; index < 6; index++) {
    tick();
    await client
      .tenant(index % 2 === 0 ? 'all1' : 'all2')
      .post('Location', { resourceType: 'Location', name: String(index) });
  }
  const pages = await allPages(client.tenant('_ALL'), 'Location/_history?_count=4');
  const names = entriesOf(pages).map(({ resource }) => (resource as { name?: string }).name);
  t.deepEqual(names, ['5', '4', '3', '2', '1', '0']);
});

test.serial('_count=0 gives the total alone', async (t) => {
  const { id } = await acme.createPatient();
  const { body } = await acme.get<Bundle>(`Patient/${id}/_history?_count=0`);
  t.is(body.total, 1);
  t.is(body.entry, undefined);
  t.false(body.link?.some(({ relation }) => relation === 'next'));
});

test.serial('_summary=count gives the total alone', async (t) => {
  const { id } = await acme.createPatient();
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  for (const place of [`Patient/${id}`, 'Patient', '']) {
    const { body } = await acme.get<Bundle>(`${place}/_history?_summary=count`.replace(/^\//, ''));
    t.true((body.total ?? 0) >= 2, place);
    t.is(body.entry, undefined);
    t.deepEqual(
      body.link?.map(({ relation }) => relation),
      ['self'],
    );
  }
});

test.serial('parameters that cannot be read, or that history does not have, are 400', async (t) => {
  const { id } = await acme.createPatient();
  for (const query of [
    '_since=soon',
    '_at=2024-13-01',
    '_count=many',
    '_count=-1',
    '_count=1&_count=2',
    '_since=2020&_since=2021',
    '_at=sa2024-01-01',
    '_at=gesoon',
    '_at=ge',
    '_since=ge2020',
    '_since=2020&_at=2021',
  ]) {
    const answer = await acme.get(`Patient/${id}/_history?${query}`);
    assertError(t, answer, 400, 'INVALID_SEARCH');
    t.deepEqual(answer.body.issue[0]?.location, [`http.${query.split('=')[0]}`]);
  }
  assertError(t, await acme.get(`Patient/${id}/_history?name=x`), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const lenient = await acme.get<Bundle>(`Patient/${id}/_history?name=x`, { prefer: 'handling=lenient' });
  t.is(lenient.status, 200);
  t.false(lenient.body.link?.some(({ url }) => url.includes('name=')));
});

test.serial('a page link is 404 under another tenant and 400 when it was altered', async (t) => {
  const { id } = await acme.createPatient();
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  const { body } = await acme.get<Bundle>(`Patient/${id}/_history?_count=1`);
  const next = body.link?.find(({ relation }) => relation === 'next')?.url ?? '';
  t.true(next.startsWith(`${acme.base}?`) || next.startsWith(`${acme.base}/?`), next);
  assertError(t, await client.get(next.replace('/acme', '/beta')), 404, 'UNKNOWN_PAGE_LINK');
  assertError(t, await client.get(next.replace('/acme', '')), 404, 'UNKNOWN_PAGE_LINK');
  assertError(t, await client.get(`${next.slice(0, -3)}AAA`), 400, 'INVALID_PAGE_LINK');
  assertError(t, await client.get(`${next}&_count=9`), 400, 'INVALID_PAGE_LINK');
});

test.serial('_elements and _pretty shape a history, also on its next page', async (t) => {
  const { id } = await acme.createPatient({ gender: 'female', birthDate: '1930-01-01' });
  await acme.put(`Patient/${id}`, { resourceType: 'Patient', id, gender: 'male', birthDate: '1930-01-01' });
  const pages = await allPages(acme, `Patient/${id}/_history?_count=1&_elements=gender`);
  t.is(pages.length, 2);
  for (const { resource } of entriesOf(pages)) t.false('birthDate' in (resource ?? {}));
  t.true((await acme.get(`Patient/${id}/_history?_pretty=true`)).text.includes('\n  '));
});
