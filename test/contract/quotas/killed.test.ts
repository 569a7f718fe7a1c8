import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { spawnServer } from '../support/spawned-server.js';
import { ACME, assertExact, bundleOf, openLimited, patientOf } from './fixtures.js';

/** Milliseconds in which the server is written to before it is killed. */
const LIFE_MS = 1_000;

test('after a kill what is kept is what there is', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const settings = { placement: 'shared' } as const;
  const first = await createTestServer({ database, settings, partitions: ['acme'] });
  await first.stop();
  const { url, kill } = await spawnServer(t, database, 'quota({ of: () => ({ resources: 1e6 }) })');
  const acme = new FhirClient(`${url}/acme`);
  let written = 0;
  const write = async (writer: number): Promise<void> => {
    for (let at = 0; ; at++) {
      const id = `w${writer}-${at}`;
      await acme.put(`Patient/${id}`, patientOf(id, at));
      await acme.post(
        '',
        bundleOf('transaction', { puts: [`${id}-a`, id], deletes: [`w${writer}-${at - 1}`] }),
      );
      written += 1;
    }
  };
  const writing = [0, 1, 2, 3].map((writer) => write(writer).catch(() => undefined));
  await pause(LIFE_MS);
  await kill();
  await Promise.all(writing);
  t.true(written > 0);
  const last = await openLimited(t, { acme: { resources: 1e6 } }, { database, settings, partitions: [] });
  await assertExact(t, last);
  t.is((await last.server.bulkhead.parts.usages.read(ACME))?.resources, await last.acme.count('Patient'));
});
