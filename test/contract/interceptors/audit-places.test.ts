import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { audit } from '../../../interceptors/index.js';
import type { FhirClient } from '../support/fhir-client.js';
import { exported } from '../export/fixtures.js';
import { PATIENT } from '../hooks/fixtures.js';
import { createPlaced, manage, openServer, OWN_PLACEMENTS } from '../placement/fixtures.js';
import { eventsOf, openAudited } from './audit-fixtures.js';

/** Without the searches for events, which name the patients of those. */
const OF_PATIENT = '&entity=Patient/p1&action=C,R,D';

async function fill(client: FhirClient): Promise<void> {
  await client.put('Patient/p1', PATIENT);
  await client.put('Patient/p2', { ...PATIENT, id: 'p2' });
  await client.get('Patient/p1');
  await client.delete('Patient/p1');
}

test('events are in the exports of their partition', async (t) => {
  const { acme, beta } = await openAudited(t);
  await fill(acme);
  await fill(beta);
  const written = (await eventsOf(acme)).map(({ id }) => `AuditEvent/${id}`);
  const { output, resources } = await exported(acme, '$export?_type=AuditEvent');
  t.true(written.every((event) => output.includes(event)));
  const sites = resources.map((event) => (event as { source?: { site?: string } }).source?.site);
  t.deepEqual([...new Set(sites)], ['acme']);
});

for (const placement of OWN_PLACEMENTS) {
  test(`events go with their partition to ${placement} and back, with what they refer to`, async (t) => {
    const { server, root } = await openServer(t, { interceptors: [audit()] });
    const tenant = await createPlaced(t, root, 'tenant', 'shared');
    await fill(tenant);
    const before = await eventsOf(tenant, OF_PATIENT);
    t.is(before.length, 3);
    for (const to of [placement, 'shared']) {
      t.is((await manage(root, 'move-partition', { id: 1, to })).status, 200);
      await untilDone(t, () => server.bulkhead.parts.partitions.jobs());
      t.deepEqual(await eventsOf(tenant, OF_PATIENT), before);
      t.is((await tenant.get('Patient/p2')).status, 200);
      t.is((await tenant.delete('Patient/p1')).status, 204);
    }
  });
}

test('a purge by the administrator removes the events with the partition', async (t) => {
  const { server, acme, root } = await openAudited(t);
  await fill(acme);
  await server.bulkhead.partitions.startPurge(1);
  await untilDone(t, () => server.bulkhead.parts.partitions.jobs());
  await manage(root, 'create-partition', { id: 1, name: 'acme' });
  t.deepEqual(await eventsOf(acme), []);
});

async function untilDone(
  t: ExecutionContext,
  jobs: () => Promise<readonly { readonly state: string }[]>,
): Promise<void> {
  for (let tries = 0; !(await jobs()).every(({ state }) => state === 'done'); tries++) {
    t.true(tries < 600, 'the job ends');
    await pause(50);
  }
}
