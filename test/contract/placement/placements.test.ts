import test from 'ava';
import type { Bundle, Parameters } from 'fhir/r4.js';
import { storeUnderTest } from '../../support/test-store.js';
import { assertError, type FhirClient } from '../support/fhir-client.js';
import { allIds, createPlaced, manage, openServer, OWN_PLACEMENTS, placementOf } from './fixtures.js';

const FAMILIES = ['Baker', 'Åberg', 'Zola', '𐀀', '\uFF21', 'baker', 'Moore'];

/** Patients with names that sort differently by code points than by UTF-16, at different times. */
async function fill(client: FhirClient, mark: string): Promise<void> {
  for (const [index, family] of FAMILIES.entries()) {
    await client.put(`Patient/${mark}${index}`, {
      resourceType: 'Patient',
      id: `${mark}${index}`,
      ...(index === 3 ? {} : { birthDate: `19${50 + index}-01-01` }),
      name: [{ family }],
    });
  }
  await client.put(`Patient/${mark}1`, { resourceType: 'Patient', id: `${mark}1`, active: true });
  await client.delete(`Patient/${mark}6`);
}

function creation(resourceType: string, rest: object): object {
  return { resource: { resourceType, ...rest }, request: { method: 'POST', url: resourceType } };
}

for (const placement of OWN_PLACEMENTS) {
  test(`${placement}: a partition of its own works as the others do, and is told apart by its placement`, async (t) => {
    const { root } = await openServer(t);
    const own = await createPlaced(t, root, 'own', placement);
    await createPlaced(t, root, 'together', 'shared');
    t.is(await placementOf(root, 'own'), placement);
    t.is(await placementOf(root, 'together'), 'shared');
    t.is(await placementOf(root, 'DEFAULT'), 'shared');
    const { id } = await own.createPatient({ name: [{ family: 'Own' }] });
    t.is((await own.get(`Patient/${id}`)).status, 200);
    assertError(t, await root.tenant('together').get(`Patient/${id}`), 404, 'NOT_FOUND');
    assertError(t, await root.get(`Patient/${id}`), 404, 'NOT_FOUND');
    t.is(await own.count('Patient?family=own'), 1);
    t.is(await root.tenant('_ALL').count('Patient?family=own'), 1);
  });

  test(`${placement}: what is read of all partitions is one list, in one order, page by page`, async (t) => {
    const { root } = await openServer(t, { settings: { pageLinkSecret: 'x'.repeat(32) } });
    const names = ['a', 'b', 'c', 'd'];
    for (const [index, name] of names.entries()) {
      await fill(await createPlaced(t, root, name, index % 2 === 0 ? 'shared' : placement), name);
    }
    const all = root.tenant('_ALL');
    for (const sort of [
      '',
      '_sort=family&',
      '_sort=-family&',
      '_sort=birthdate,-_id&',
      '_sort=-_lastUpdated&',
    ]) {
      const whole = await allIds(all, `Patient?${sort}_count=100`);
      t.is(whole.length, 24, sort);
      t.is(new Set(whole).size, 24, sort);
      t.deepEqual(await allIds(all, `Patient?${sort}_count=3`), whole, sort);
    }
    t.deepEqual(
      await allIds(all, 'Patient?_sort=-_id&_count=5'),
      (await allIds(all, 'Patient')).toSorted().toReversed(),
    );
    t.is(await all.count('Patient'), 24);
    t.is(await all.count('Patient?family=baker'), 8);
    const history = await all.get<Bundle>('_history?_count=1000');
    t.is(history.body.total, 4 * 9);
    const times = (history.body.entry ?? []).map((entry) => entry.response?.lastModified ?? '');
    t.deepEqual(times, times.toSorted().toReversed());
    const paged: string[] = [];
    for (let url: string | undefined = '_history?_count=5'; url !== undefined;) {
      const { body }: { body: Bundle } = await all.get<Bundle>(url);
      paged.push(...(body.entry ?? []).map((entry) => entry.response?.etag + (entry.fullUrl ?? '')));
      url = body.link?.find(({ relation }) => relation === 'next')?.url;
    }
    t.deepEqual(
      paged,
      (history.body.entry ?? []).map((entry) => entry.response?.etag + (entry.fullUrl ?? '')),
    );
  });

  test(`${placement}: one transaction does not reach into two databases`, async (t) => {
    const { root } = await openServer(t, { settings: { references: 'any' } });
    const own = await createPlaced(t, root, 'own', placement);
    const answer = await own.post('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [creation('Patient', {}), creation('ValueSet', { status: 'draft' })],
    });
    assertError(t, answer, 422, 'PARTITIONS_APART');
    t.is(await own.count('Patient'), 0);
    await root.put('Patient/elsewhere', { resourceType: 'Patient', id: 'elsewhere' });
    const referring = { status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/elsewhere' } };
    const refused = await own.post('Observation', { resourceType: 'Observation', ...referring });
    assertError(t, refused, 400, 'REFERENCE_NOT_FOUND');
  });

  test(`${placement}: an id is one partition's on the whole server where ids are the server's`, async (t) => {
    const { root } = await openServer(t, { settings: { resourceIds: 'server' } });
    const own = await createPlaced(t, root, 'own', placement);
    const other = await createPlaced(t, root, 'other', placement);
    const patient = { resourceType: 'Patient', id: 'one' };
    t.is((await own.put('Patient/one', patient)).status, 201);
    t.is((await own.put('Patient/one', { ...patient, active: true })).status, 200);
    assertError(t, await other.put('Patient/one', patient), 409, 'DUPLICATE');
    assertError(t, await root.put('Patient/one', patient), 409, 'DUPLICATE');
  });

  test(`${placement}: deleting refuses what is held, and purging leaves nothing`, async (t) => {
    const { root } = await openServer(t);
    const own = await createPlaced(t, root, 'own', placement);
    await own.createPatient();
    assertError(t, await manage(root, 'delete-partition', { id: 1 }), 409, 'PARTITION_NOT_EMPTY');
    t.is((await own.send('GET', 'Patient')).status, 200);
    await own.createPatient();
    const purge = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'id', valueInteger: 1 },
        { name: 'purge', valueBoolean: true },
      ],
    };
    t.is((await root.post('$partition-management-delete-partition', purge)).status, 200);
    assertError(t, await own.get('Patient'), 404, 'UNKNOWN_PARTITION');
    for (let tries = 0; ; tries++) {
      const { status, text } = await manage(root, 'create-partition', { id: 1, name: 'own', placement });
      if (status === 200) break;
      t.true(tries < 100, text);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    t.is(await own.count('Patient'), 0);
  });

  test(`${placement}: content of any size is in the partition's own place`, async (t) => {
    const { root } = await openServer(t);
    const own = await createPlaced(t, root, 'own', placement);
    const content = new Uint8Array(500_000).map((_, index) => index % 251);
    const headers = { 'content-type': 'application/pdf' };
    const { headers: answered } = await own.send('POST', 'Binary', { body: content, headers });
    const location = answered.get('location') ?? '';
    const response = await fetch(location.replace(/\/_history.*/, ''));
    t.deepEqual(new Uint8Array(await response.arrayBuffer()), content);
  });
}

test('a placement that is none, or that the store has not, is refused', async (t) => {
  const { root } = await openServer(t);
  assertError(
    t,
    await manage(root, 'create-partition', { name: 'x', placement: 'moon' }),
    400,
    'INVALID_PARTITION',
  );
  if (storeUnderTest() === 'sqlite') {
    const refused = await manage(root, 'create-partition', { name: 'x', placement: 'schema' });
    assertError(t, refused, 400, 'INVALID_PARTITION');
    t.regex(refused.text, /SQLite has no schemas/);
  }
  const { body } = await root.get<Parameters>('$partition-management-list-partitions');
  t.is(body.parameter?.length, 1);
});
