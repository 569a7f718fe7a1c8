import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { SQL_STATEMENTS } from '../../../src/storage/sql/sql-statements.js';
import { collect } from '../../support/collect.js';
import { ended, exported, kickOff, locationOf, openExportServer, patientOf, store } from './fixtures.js';
import { scopeOf } from './storage-fixtures.js';

const PATIENTS = 20;
const RESOURCES = 20_020;
const BUNDLE = 2_002;

let statements: string[] = [];
const listen = (text: unknown): void => void statements.push(String(text));
// Whoever wants to hear of statements has to say so before there is a server.
subscribe(SQL_STATEMENTS.name, listen);
const { server, acme } = await openExportServer();

/** As many as there are of what is searched along links, and of additions to lists. */
function counted(): { readonly searches: number; readonly additions: number } {
  return {
    searches: statements.filter((sql) => /HFJ_RES_LINK/.test(sql) && !/HFJ_RES_VER/.test(sql)).length,
    additions: statements.filter((sql) => /insert.* into HFJ_BLK_EXPORT_MATCH/s.test(sql)).length,
  };
}

test.before(async () => {
  const patients = Array.from({ length: PATIENTS }, (_, at) => `p${at}`);
  await store(acme, ...patients.map((id) => patientOf(id)));
  await store(acme, {
    resourceType: 'Group',
    id: 'all',
    type: 'person',
    actual: true,
    member: patients.map((id) => ({ entity: { reference: `Patient/${id}` } })),
  });
  for (let at = 0; at < RESOURCES; at += BUNDLE) {
    const entry = Array.from({ length: BUNDLE }, (_, n) => ({
      resource: {
        resourceType: 'Basic',
        code: { text: 'x' },
        subject: { reference: `Patient/p${(at + n) % PATIENTS}` },
      },
      request: { method: 'POST', url: 'Basic' },
    }));
    const { status } = await acme.post('', { resourceType: 'Bundle', type: 'transaction', entry } as Bundle);
    if (status !== 200) throw new Error(`a bundle answered ${status}`);
  }
});

test.after.always(async () => {
  unsubscribe(SQL_STATEMENTS.name, listen);
  await server.stop();
});

test.serial('a search of everything is one statement, in pieces of some thousands', async (t) => {
  const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
  t.teardown(() => storage.close());
  const { id } = server.bulkhead.partitions.read({ name: 'acme' });
  const { current } = await server.bulkhead.parts.partitionParameters.of(id);
  const paths = current.find('Basic', 'patient')?.paths ?? [];
  const where = {
    kind: 'index',
    index: 'reference',
    type: 'Basic',
    paths,
    targetFilter: 'Patient',
    tests: null,
  } as const;
  await storage.useExports(id, (exports) =>
    exports.freeze(id, async ({ search }) => {
      statements = [];
      const pieces = await collect(
        search.rowIds(scopeOf(id), { type: 'Basic', where, sort: [{ by: 'id', direction: 'ascending' }] }),
      );
      const rowIds = pieces.flat();
      t.is(rowIds.length, RESOURCES);
      t.is(new Set(rowIds).size, RESOURCES);
      t.deepEqual(
        rowIds,
        rowIds.toSorted((one, other) => one - other),
      );
      t.true(pieces.length > 5 && pieces.every((piece) => piece.length <= 2_000));
      t.is(counted().searches, 1);
      // What is given up in the middle hinders nothing.
      for await (const piece of search.rowIds(scopeOf(id), { type: 'Basic', where, sort: [] }))
        if (piece.length > 0) break;
      t.is(await search.count(scopeOf(id), { type: 'Basic', where, sort: [] }), RESOURCES);
    }),
  );
});

test.serial(
  'an export of patients or of a group searches once for a type, however much it has',
  async (t) => {
    for (const path of ['Patient/$export?_type=Basic', 'Group/all/$export?_type=Basic']) {
      statements = [];
      const { output } = await exported(acme, path);
      t.is(new Set(output).size, RESOURCES, path);
      const { searches, additions } = counted();
      t.is(searches, 1, path);
      t.true(additions <= 2 * Math.ceil(RESOURCES / 1_000), `${additions} additions`);
    }
  },
);

test.serial('output by patients adds to the lists of many patients at once', async (t) => {
  statements = [];
  const kickedOff = await kickOff(acme, 'Patient/$export?_type=Basic&organizeOutputBy=Patient');
  const { body } = await ended(acme, locationOf(kickedOff));
  t.is(
    body.output.reduce((sum, { count }) => sum + count, 0),
    RESOURCES,
  );
  const { additions } = counted();
  t.true(additions <= 6 * Math.ceil(RESOURCES / 1_000), `${additions} additions`);
});
