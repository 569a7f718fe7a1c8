import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { AuditEvent, Bundle } from 'fhir/r4.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { spawnServer } from '../support/spawned-server.js';
import { PATIENT } from '../hooks/fixtures.js';

/** Milliseconds in which requests are answered before the server is killed. */
const LIFE_MS = 1_500;

test('after a kill every change has its event, and every answer that came', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const options = { database, settings: { placement: 'shared' } } as const;
  const first = await createTestServer({ ...options, partitions: ['acme'] });
  await first.stop();
  const { url, kill } = await spawnServer(t, database, 'audit()');
  const { written, read } = await askUntil(new FhirClient(`${url}/acme`), kill);
  t.true(written > 0 && read > 0);
  const last = await createTestServer(options);
  t.teardown(() => last.stop());
  const acme = new FhirClient(last.url).tenant('acme');
  const stored = await all(acme, 'Patient?_elements=id');
  const created = (await all(acme, 'AuditEvent?action=C')).flatMap(({ entity = [] }) => entity);
  const about = created.flatMap(({ what, role }) => (role?.code === '4' ? (what?.reference ?? []) : []));
  t.deepEqual(about.toSorted(), stored.map(({ id }) => `Patient/${id}/_history/1`).toSorted());
  t.true(stored.length >= written);
  t.true((await acme.count('AuditEvent?action=R&outcome=0')) >= read);
});

/** What was answered before the server went. */
async function askUntil(client: FhirClient, kill: () => Promise<void>) {
  const answered = { written: 0, read: 0 };
  const ask = async (): Promise<void> => {
    for (;;) {
      const made = await client.createPatient(PATIENT);
      answered.written += 1;
      await client.get(`Patient/${made.id}`);
      answered.read += 1;
    }
  };
  const asking = Array.from({ length: 4 }, () => ask().catch(() => undefined));
  await pause(LIFE_MS);
  await kill();
  await Promise.all(asking);
  return answered;
}

/** All pages of a search. */
async function all(client: FhirClient, search: string): Promise<readonly AuditEvent[]> {
  const found: AuditEvent[] = [];
  for (let url: string | undefined = `${search}&_count=500`; url !== undefined;) {
    const { body }: { body: Bundle<AuditEvent> } = await client.get(url);
    found.push(...(body.entry ?? []).flatMap(({ resource }) => resource ?? []));
    url = body.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return found;
}
