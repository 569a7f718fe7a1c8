import test from 'ava';
import type { SearchPlan } from '../../../src/storage/search-store.js';
import { collect } from '../../support/collect.js';
import { openExportWorld, scopeOf, versionsOf, walkAll } from './storage-fixtures.js';

const EVERY_PATIENT: SearchPlan = { type: 'Patient', where: { kind: 'all', of: [] }, sort: [] };

const patient = (id: string, family: string) => ({ resourceType: 'Patient', id, name: [{ family }] });

test('a walk gives each resource once, in the version that it had at the time, whatever came later', async (t) => {
  const { storage, acme, beta, ids } = await openExportWorld(t);
  for (const id of ['a', 'b', 'c', 'd']) await acme.put(`Patient/${id}`, patient(id, 'First'));
  await acme.put('Patient/b', patient('b', 'Second'));
  await acme.delete('Patient/c');
  await beta.put('Patient/foreign', patient('foreign', 'Canary'));
  await storage.useExports(ids.acme, async (exports) => {
    const at = await exports.freeze(ids.acme, async (snapshot) => snapshot.at);
    await acme.put('Patient/a', patient('a', 'Later'));
    await acme.put('Patient/a', patient('a', 'Latest'));
    await acme.delete('Patient/d');
    await acme.put('Patient/c', patient('c', 'Again'));
    await acme.put('Patient/e', patient('e', 'New'));
    const walked = await walkAll(exports, ids.acme, { type: 'Patient', until: at });
    t.deepEqual(versionsOf(walked.entries), ['a/1', 'd/1', 'b/2']);
    t.deepEqual(versionsOf(walked.deleted), ['c/2']);
    t.deepEqual(walked.unreadable, []);
    t.true(walked.pages >= 4, 'a page ends with the resource that fills it');
    for (const [index, { id, version }] of walked.entries.entries()) {
      const { text } = await acme.get(`Patient/${id}/_history/${version}`);
      t.is(walked.lines[index], text);
    }
    const whole = await walkAll(exports, ids.acme, { type: 'Patient', until: at, bytes: 8_000_000 }, 'lines');
    t.deepEqual({ ...whole, pages: 0 }, { ...walked, entries: [], pages: 0 });
    const later = await exports.freeze(ids.acme, async (snapshot) => snapshot.at);
    const since = await walkAll(exports, ids.acme, { type: 'Patient', since: at, until: later });
    t.deepEqual(versionsOf(since.entries), ['a/3', 'c/3', 'e/1']);
    t.deepEqual(versionsOf(since.deleted), ['d/2']);
    const gone = await walkAll(exports, ids.acme, { type: 'Patient', until: later }, 'deletions');
    t.deepEqual([versionsOf(gone.deleted), gone.lines], [['d/2'], []]);
    t.deepEqual((await walkAll(exports, ids.acme, { type: 'Observation', until: later })).entries, []);
  });
});

test('versions of single resources are those of the time, with what was deleted, as far as there is room', async (t) => {
  const { storage, acme, ids } = await openExportWorld(t);
  for (const id of ['a', 'b', 'c', 'd']) await acme.put(`Patient/${id}`, patient(id, 'First'));
  await acme.delete('Patient/c');
  await storage.useExports(ids.acme, async (exports) => {
    const at = await exports.freeze(ids.acme, async (snapshot) => snapshot.at);
    await acme.put('Patient/a', patient('a', 'Later'));
    await acme.delete('Patient/b');
    await acme.put('Patient/e', patient('e', 'New'));
    const later = await exports.freeze(ids.acme, async (snapshot) => snapshot.at);
    const { entries, deleted } = await walkAll(exports, ids.acme, { type: 'Patient', until: later });
    const rowIds = [...entries, ...deleted].map(({ rowId }) => rowId).toSorted((a, b) => a - b);
    t.is(rowIds.length, 5);
    const list = { type: 'Patient', rowIds, until: at, bytes: 8_000_000 };
    const all = await exports.versionsAt(ids.acme, list);
    t.deepEqual(versionsOf(all.entries), ['a/1', 'b/1', 'd/1']);
    t.deepEqual(versionsOf(all.deleted), ['c/2']);
    t.deepEqual([all.rest, all.count], [[], 3]);
    const some = await exports.versionsAt(ids.acme, { ...list, bytes: 1 });
    t.deepEqual([versionsOf(some.entries), some.rest], [['a/1'], rowIds.slice(1)]);
    t.deepEqual((await exports.versionsAt(ids.beta, list)).entries, []);
    const texts = await exports.lastTexts(ids.acme, deleted);
    t.deepEqual(
      deleted.map(({ rowId }) => (JSON.parse(texts.get(rowId) ?? '{}') as { id?: string }).id),
      deleted.map(({ id }) => id),
    );
    t.is((await exports.lastTexts(ids.beta, deleted)).size, 0);
    t.deepEqual([...(await exports.countTypes(ids.acme))], [['Patient', 5]]);
    t.deepEqual([...(await exports.countTypes(ids.beta))], []);
  });
});

test('a resource that was changed more often than a statement looks at rows is found all the same', async (t) => {
  const { storage, acme, ids } = await openExportWorld(t);
  await acme.put('Patient/often', patient('often', 'First'));
  await acme.put('Patient/once', patient('once', 'Only'));
  for (let version = 2; version <= 12; version++)
    await acme.put('Patient/often', patient('often', `V${version}`));
  await storage.useExports(ids.acme, async (exports) => {
    const at = await exports.freeze(ids.acme, async (snapshot) => snapshot.at);
    const { entries } = await walkAll(exports, ids.acme, { type: 'Patient', until: at });
    t.deepEqual(versionsOf(entries), ['once/1', 'often/12']);
  });
});

test('what is seen in a snapshot is the state at its moment', async (t) => {
  const { storage, acme, ids } = await openExportWorld(t);
  await acme.put('Patient/a', patient('a', 'First'));
  await storage.useExports(ids.acme, (exports) =>
    exports.freeze(ids.acme, async ({ search, resources }) => {
      await acme.put('Patient/a', patient('a', 'Second'));
      await acme.put('Patient/b', patient('b', 'Second'));
      const scope = scopeOf(ids.acme);
      const [seen] = await resources.read(scope, 'Patient', 'a');
      t.is(seen?.version, 1);
      t.deepEqual(await resources.read(scope, 'Patient', 'b'), []);
      const all = await search.page(scope, EVERY_PATIENT, { count: 10 });
      t.deepEqual(
        all.map(({ id, version }) => `${id}/${version}`),
        ['a/1'],
      );
      t.deepEqual(await collect(search.rowIds(scope, EVERY_PATIENT)), [[seen?.rowId]]);
    }),
  );
});
