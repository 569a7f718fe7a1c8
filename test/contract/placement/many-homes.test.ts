import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { storeUnderTest } from '../../support/test-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import type { FhirClient } from '../support/fhir-client.js';
import { allIds, createPlaced, openServer, OWN_PLACEMENTS } from './fixtures.js';

const MAX_OPEN = 2;
const HOMES = 5;
const PATIENTS_OF_A_HOME = 3;
const PATIENCE_MS = 10_000;

/** Databases of homes that the server is connected with; SQLite's files and schemas have no connections of their own. */
async function connectedHomes(database: TestDatabase): Promise<readonly string[]> {
  if (storeUnderTest() === 'sqlite') return [];
  const rows = await database.rows(`select distinct a.datname from pg_stat_activity a
    where a.datname like current_database() || '\\_p%' and a.application_name = 'bulkhead'`);
  return [...new Set(rows.map(([name]) => String(name)))];
}

async function fill(tenant: FhirClient, name: string): Promise<void> {
  const families = Array.from({ length: PATIENTS_OF_A_HOME }, (_, number) => `${number}-${name}`);
  await Promise.all(families.map((family) => tenant.createPatient({ name: [{ family }] })));
}

for (const placement of OWN_PLACEMENTS) {
  test(`${placement}: more homes than may be open are written, read and listed at once, and few stay open`, async (t) => {
    const database = await createTestDatabase();
    t.teardown(() => database.drop());
    const { root } = await openServer(t, { database, settings: { maxOpenHomes: MAX_OPEN } });
    const names = Array.from({ length: HOMES }, (_, index) => `home${index}`);
    for (const name of names) await createPlaced(t, root, name, placement);
    const content = new Uint8Array(3_000_000).fill(7);
    const all = root.tenant('_ALL');
    const first = root.tenant(names[0]!);
    const stored = await first.send('POST', 'Binary', {
      body: content,
      headers: { 'content-type': 'application/pdf' },
    });
    // Nobody reads on: its home is in use while all others come and go.
    const download = await fetch((stored.headers.get('location') ?? '').replace(/\/_history.*/, ''), {
      headers: { accept: 'application/pdf' },
    });
    await Promise.all([
      ...names.map((name) => fill(root.tenant(name), name)),
      ...names.map(() => all.count('Patient')),
    ]);
    for (const sort of ['family', '-family,_id']) {
      const whole = await allIds(all, `Patient?_sort=${sort}&_count=100`);
      t.is(new Set(whole).size, HOMES * PATIENTS_OF_A_HOME, sort);
      t.deepEqual(await allIds(all, `Patient?_sort=${sort}&_count=4`), whole, sort);
    }
    for (const name of names) t.is(await root.tenant(name).count('Patient'), PATIENTS_OF_A_HOME);
    t.deepEqual(new Uint8Array(await download.arrayBuffer()), content);
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(20))
      if ((await connectedHomes(database)).length <= MAX_OPEN) break;
    const connected = await connectedHomes(database);
    t.true(connected.length <= MAX_OPEN, connected.join());
  });
}
