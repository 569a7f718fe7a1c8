import Database from 'better-sqlite3';
import test from 'ava';
import { createTestDatabase } from '../../../support/test-database.js';
import { ended, exported, kickOff, locationOf, openExportServer, patientOf, store } from '../fixtures.js';

/** Bytes that rot on the disk are rare, and cost one resource each. */
const ROTTEN: Readonly<Record<string, string>> = {
  cut: '{"resourceType":"Pat',
  odd: '{"resourceType":"Patient",]}',
};

test('what cannot be read is a line in error, and everything else is exported', async (t) => {
  const database = await createTestDatabase();
  const settings = { placement: 'shared' } as const;
  const { server, acme } = await openExportServer({ database, settings });
  t.teardown(async () => {
    await server.stop();
    await database.drop();
  });
  await store(acme, patientOf('a'), patientOf('cut'), patientOf('odd'), patientOf('z'));
  const db = new Database(database.url.replace('sqlite:', ''));
  for (const [id, text] of Object.entries(ROTTEN))
    db.prepare('update HFJ_RESOURCE set RES_TEXT = ? where FHIR_ID = ?').run(text, id);
  db.close();
  const { body } = await ended(acme, locationOf(await kickOff(acme, '$export')));
  t.is(body.output[0]?.count, 3, 'what looks like a line passes untouched');
  const { output, errors } = await exported(acme, '$export?_elements=id');
  t.deepEqual(output, ['Patient/a', 'Patient/z']);
  t.deepEqual(errors.toSorted(), [
    'A resource was left out: what is stored of it cannot be read.',
    'Patient/cut was left out: what is stored of it cannot be read.',
  ]);
});
