import test from 'ava';
import { defineInterceptor } from '../../../src/index.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { createTestServer } from '../../support/test-server.js';
import { OWN_PLACEMENTS } from './fixtures.js';

/** The day that a resource says in its identifier. */
const dated = defineInterceptor({
  name: 'dated',
  hooks: {
    STORAGE_PARTITION_IDENTIFY_CREATE: ({ resource, request }) => {
      const date = (resource as { readonly language?: string }).language?.slice(2);
      return { by: 'name', names: [request.urlTenant ?? 'DEFAULT'], ...(date ? { date } : {}) };
    },
    STORAGE_PARTITION_IDENTIFY_READ: ({ request }) => ({
      by: 'name',
      names: [request.urlTenant ?? 'DEFAULT'],
    }),
  },
});

for (const placement of ['shared', ...OWN_PLACEMENTS] as const) {
  test(`${placement}: what is dated before the day goes with every version, and nothing else does`, async (t) => {
    const server = await createTestServer({
      interceptors: [dated],
      settings: { partitioning: ['interceptors'], placement, validation: 'off' },
      partitions: ['acme', 'beta'],
    });
    t.teardown(() => server.stop());
    const root = new FhirClient(server.url);
    for (const tenant of ['acme', 'beta'].map((name) => root.tenant(name))) {
      for (const [id, date] of [
        ['old', '2019-12-31'],
        ['new', '2020-01-01'],
        ['none', ''],
      ]) {
        const patient = {
          resourceType: 'Patient',
          id,
          name: [{ family: 'Kept' }],
          ...(date ? { language: `x-${date}` } : {}),
        };
        t.is((await tenant.put(`Patient/${id}`, patient)).status, 201);
        t.is((await tenant.put(`Patient/${id}`, { ...patient, active: true })).status, 200);
      }
      const subject = { reference: 'Patient/old' };
      const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject };
      t.is((await tenant.post('Observation', observation)).status, 201);
    }
    const { partitions } = server.bulkhead;
    const { id } = partitions.read({ name: 'acme' });
    const before = await server.bulkhead.parts.partitions.contents(id);
    const retained = await partitions.retain(id, '2020-01-01');
    t.like(retained, { resources: 1, versions: 1, dangling: 1 });
    t.true(retained.indexRows > 0);
    const after = await server.bulkhead.parts.partitions.contents(id);
    t.is(before.resources - after.resources, 1);
    t.is(before.versions - after.versions, 1);
    t.is(before.indexRows - after.indexRows, retained.indexRows);
    const acme = root.tenant('acme');
    assertError(t, await acme.get('Patient/old'), 404, 'NOT_FOUND');
    assertError(t, await acme.get('Patient/old/_history/1'), 404, 'NOT_FOUND');
    t.is(await acme.count('Patient?family=kept'), 2);
    t.is(await root.tenant('beta').count('Patient?family=kept'), 3);
    const none = { resources: 0, versions: 0, indexRows: 0, dangling: 1 };
    t.deepEqual(await partitions.retain(id, '2020-01-01'), none);
  });
}

test('a day in the future, or none, is refused', async (t) => {
  const server = await createTestServer({ partitions: ['acme'], clock: () => Date.parse('2026-01-02') });
  t.teardown(() => server.stop());
  const { partitions } = server.bulkhead;
  await t.throwsAsync(partitions.retain(1, '2026-01-03'), { message: /in the future/ });
  await t.throwsAsync(partitions.retain(1, '02.01.2026'), { message: /is no date/ });
  await t.throwsAsync(partitions.retain(1, '2026-02-31'), { message: /is no date/ });
  await t.notThrowsAsync(partitions.retain(1, '2026-01-02'));
});
