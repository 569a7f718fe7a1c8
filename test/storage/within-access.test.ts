import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import type { IncludeQuery, SearchPlan } from '../../src/storage/search-store.js';
import type { StoredVersion } from '../../src/storage/store.js';
import { withinAccess } from '../../src/storage/within-access.js';
import { deletion, limitsTo, MemoryStores, MINE, scopeWith, version } from './memory-stores.js';
import { scopeOf } from './search/fixtures.js';

function storesOf(...versions: readonly StoredVersion[]) {
  const memory = new MemoryStores(versions);
  return { memory, within: withinAccess(memory, limitsTo('mine', 'also')) };
}

const keysOf = (versions: readonly StoredVersion[]): readonly string[] =>
  versions.map(({ type, id, version: number }) => `${type}/${id}/${number}`);

const OPEN = scopeWith('system/*.cruds');
const PATIENT = scopeWith('patient/*.rs');

const mine = [
  version('Observation/mine', 3),
  version('Observation/mine', 2, { text: MINE }),
  version('Observation/mine', 1),
];
const hidden = [
  version('Observation/theirs', 2, { rowId: 2 }),
  version('Observation/theirs', 1, { rowId: 2, text: MINE }),
];

test('a scope that nobody in particular reads by is served as it is', async (t) => {
  const { memory, within } = storesOf(...mine, ...hidden);
  const scope = scopeOf(1);
  t.is((await within.resources.read(scope, 'Observation', 'theirs')).length, 1);
  t.is((await within.resources.readVersion(scope, 'Observation', 'theirs', 1)).length, 1);
  t.is((await within.resources.history(scope, { count: 9 })).length, 5);
  t.is(await within.resources.countHistory(scope, { count: 9 }), 5);
  memory.links.push(...mine, ...hidden);
  t.is((await within.search.linked(scope, includeOf(9))).length, 5);
  const plan: SearchPlan = { type: 'Observation', where: { kind: 'all', of: [] }, sort: [] };
  t.is((await within.search.page(scope, plan, { count: 9 })).length, 2);
  t.is(memory.plans[0], plan);
});

test('what is granted whole costs no search', async (t) => {
  const { memory, within } = storesOf(...mine);
  t.is((await within.resources.read(OPEN, 'Observation', 'mine')).length, 1);
  t.is((await within.resources.readVersion(OPEN, 'Observation', 'mine', 1)).length, 1);
  t.is((await within.resources.history(OPEN, { type: 'Observation', id: 'mine', count: 9 })).length, 3);
  t.is((await within.resources.history(OPEN, { type: 'Observation', count: 9 })).length, 3);
  t.is((await within.resources.history(OPEN, { count: 9 })).length, 3);
  t.is(await within.resources.countHistory(OPEN, { count: 9 }), 3);
  t.false(memory.asked.includes('search'));
});

test('a read finds what is within the limits and current', async (t) => {
  const { within } = storesOf(...mine, ...hidden);
  t.deepEqual(keysOf(await within.resources.read(PATIENT, 'Observation', 'mine')), ['Observation/mine/3']);
  t.deepEqual(await within.resources.read(PATIENT, 'Observation', 'theirs'), []);
  t.deepEqual(await within.resources.read(PATIENT, 'Observation', 'nobody'), []);
  t.deepEqual(await within.resources.read(scopeWith('system/Patient.r'), 'Observation', 'mine'), []);
});

test('a read is judged by what is to be done', async (t) => {
  const { within } = storesOf(...mine, ...hidden);
  const updating = scopeWith('system/Observation.r patient/Observation.u', 'update');
  t.is((await within.resources.read(updating, 'Observation', 'mine')).length, 1);
  t.is((await within.resources.read(updating, 'Observation', 'theirs')).length, 0);
  const reading = scopeWith('system/Observation.r patient/Observation.u');
  t.is((await within.resources.read(reading, 'Observation', 'theirs')).length, 1);
});

test('a deletion is for those whom nothing limits', async (t) => {
  const { within } = storesOf(
    deletion('Observation/mine', 2),
    version('Observation/mine', 1, { text: MINE }),
  );
  t.deepEqual(await within.resources.read(PATIENT, 'Observation', 'mine'), []);
  t.deepEqual(await within.resources.readVersion(PATIENT, 'Observation', 'mine', 1), []);
  t.is((await within.resources.read(OPEN, 'Observation', 'mine')).length, 1);
});

test('what was read before a change is not judged by what it became', async (t) => {
  const { memory, within } = storesOf(...mine);
  const read = memory.resources.read;
  memory.resources.read = async (...asked) => (await read(...asked)).map((one) => ({ ...one, version: 2 }));
  t.deepEqual(await within.resources.read(PATIENT, 'Observation', 'mine'), []);
});

test('of several that have an id those are read that are within the limits', async (t) => {
  const { within } = storesOf(
    version('Observation/mine', 1),
    version('Patient/mine', 1, { rowId: 2, partition: 2 as never }),
    version('Observation/mine', 1, { rowId: 3, partition: 2 as never }),
  );
  const both = scopeWith('patient/*.rs', 'read', 1, 2);
  t.is((await within.resources.read(both, 'Observation', 'mine')).length, 2);
});

test('earlier versions are seen as far as they were within the limits themselves', async (t) => {
  const { within } = storesOf(...mine, ...hidden);
  const read = async (id: string, number: number): Promise<number> =>
    (await within.resources.readVersion(PATIENT, 'Observation', id, number)).length;
  t.deepEqual(
    [await read('mine', 3), await read('mine', 2), await read('mine', 1), await read('mine', 9)],
    [1, 1, 0, 0],
  );
  t.deepEqual([await read('theirs', 2), await read('theirs', 1)], [0, 0]);
});

test('the history of one resource has what may be seen of it, and counts that', async (t) => {
  const { within } = storesOf(...mine, ...hidden);
  const query = { type: 'Observation', id: 'mine', count: 9 };
  const history = await within.resources.history(PATIENT, query);
  t.deepEqual(keysOf(history), ['Observation/mine/3', 'Observation/mine/2']);
  t.deepEqual(keysOf(await within.resources.history(PATIENT, { ...query, count: 1 })), [
    'Observation/mine/3',
  ]);
  t.is(await within.resources.countHistory(PATIENT, query), 2);
  const after = { updated: 3, rowId: 1, version: 3 };
  t.deepEqual(keysOf(await within.resources.history(PATIENT, { ...query, after })), ['Observation/mine/2']);
  t.is(await within.resources.countHistory(PATIENT, { ...query, after, count: 1 }), 2);
  t.deepEqual(await within.resources.history(PATIENT, { ...query, id: 'theirs' }), []);
  t.is(await within.resources.countHistory(PATIENT, { ...query, id: 'theirs' }), 0);
});

test('a page of a history has as many versions as are asked for', async (t) => {
  const { within } = storesOf(
    ...[4, 3, 2, 1].map((number) => version('Observation/mine', number, { text: MINE })),
  );
  const page = await within.resources.history(PATIENT, { type: 'Observation', id: 'mine', count: 3 });
  t.deepEqual(keysOf(page), ['Observation/mine/4', 'Observation/mine/3', 'Observation/mine/2']);
});

test('a history tells that a resource was deleted once', async (t) => {
  const { within } = storesOf(
    version('Observation/mine', 3),
    deletion('Observation/mine', 2),
    version('Observation/mine', 1),
  );
  const history = await within.resources.history(PATIENT, { type: 'Observation', id: 'mine', count: 9 });
  t.deepEqual(keysOf(history), ['Observation/mine/3', 'Observation/mine/2']);
});

test('a history over several partitions has nothing of holders that are hidden', async (t) => {
  const { memory, within } = storesOf(
    version('Observation/mine', 1),
    version('Observation/mine', 1, { rowId: 2, partition: 2 as never, text: MINE }),
  );
  const page = memory.search.page;
  memory.search.page = async (...asked) => (await page(...asked)).filter(({ partition }) => partition === 1);
  const both = scopeWith('patient/*.rs', 'read', 1, 2);
  const history = await within.resources.history(both, { type: 'Observation', id: 'mine', count: 9 });
  t.deepEqual(
    history.map(({ partition }) => partition),
    [1 as never],
  );
});

test('the history of a type or of everything is for those whom nothing limits', async (t) => {
  const { memory, within } = storesOf(...mine, version('Binary/b', 1, { rowId: 2 }));
  const seen = async (scopes: string, type?: string): Promise<readonly number[]> => {
    const query = { ...(type && { type }), count: 9 };
    const scope = scopeWith(scopes);
    const history = await within.resources.history(scope, query);
    return [history.length, await within.resources.countHistory(scope, query)];
  };
  t.deepEqual(await seen('system/Observation.s', 'Observation'), [3, 3]);
  t.deepEqual(await seen('system/Observation.r', 'Observation'), [0, 0]);
  t.deepEqual(await seen('patient/Observation.rs', 'Observation'), [0, 0]);
  t.deepEqual(await seen('system/Binary.rs', 'Binary'), [0, 0]);
  t.deepEqual(await seen('system/*.rs', 'Binary'), [1, 1]);
  t.deepEqual(await seen('system/*.rs'), [4, 4]);
  t.deepEqual(await seen('system/*.s'), [0, 0]);
  t.deepEqual(await seen('system/*.r'), [0, 0]);
  t.deepEqual(await seen('system/Observation.rs'), [0, 0]);
  memory.asked.length = 0;
  t.deepEqual(await seen('patient/Observation.rs', 'Observation'), [0, 0]);
  t.deepEqual(memory.asked, []);
});

const manyOf = (key: string, count: number, rowId = 1): readonly StoredVersion[] =>
  Array.from({ length: count }, (_, at) => version(key, count - at, { rowId, text: MINE }));

test('a long history is limited version by version, up to ten thousand and some', async (t) => {
  const { within } = storesOf(...manyOf('Observation/mine', 10_050));
  t.is(await within.resources.countHistory(PATIENT, { type: 'Observation', id: 'mine', count: 1 }), 10_050);
});

test('a history that is too long to be limited is refused, and one that is hidden is as none', async (t) => {
  const { memory, within } = storesOf(
    ...manyOf('Observation/mine', 10_150),
    ...manyOf('Observation/theirs', 10_150, 2),
  );
  const query = { type: 'Observation', count: 1 };
  const error = await t.throwsAsync(within.resources.countHistory(PATIENT, { ...query, id: 'mine' }));
  t.is((error as FhirError).code, 'LIMIT_EXCEEDED');
  memory.asked.length = 0;
  t.is(await within.resources.countHistory(PATIENT, { ...query, id: 'theirs' }), 0);
  t.false(memory.asked.includes('history'));
});

function includeOf(limit: number, direction: IncludeQuery['direction'] = 'include'): IncludeQuery {
  return { direction, sourceType: 'Observation', paths: null, targetType: null, from: [1], limit };
}

test('references lead to what may be read, and come from what may be searched', async (t) => {
  const { memory, within } = storesOf();
  memory.links.push(version('Patient/mine', 1), version('Device/d', 1, { rowId: 2 }));
  const linked = async (scopes: string, direction?: 'revinclude'): Promise<readonly string[]> =>
    keysOf(await within.search.linked(scopeWith(scopes), includeOf(9, direction)));
  t.deepEqual(await linked('system/Device.r'), ['Device/d/1']);
  t.deepEqual(await linked('system/Device.s'), []);
  t.deepEqual(await linked('system/Device.s', 'revinclude'), ['Device/d/1']);
  t.deepEqual(await linked('system/Device.r', 'revinclude'), []);
  t.deepEqual(await linked('system/*.r'), ['Patient/mine/1', 'Device/d/1']);
});

test('what is limited is found behind references in its order', async (t) => {
  const versions = [
    version('Patient/mine', 1),
    version('Device/d', 1, { rowId: 2 }),
    version('Patient/theirs', 1, { rowId: 3 }),
    version('Patient/also', 1, { rowId: 4 }),
  ];
  const { memory, within } = storesOf(...versions);
  memory.links.push(...versions);
  const linked = await within.search.linked(scopeWith('system/Device.r patient/Patient.r'), includeOf(9));
  t.deepEqual(keysOf(linked), ['Patient/mine/1', 'Device/d/1', 'Patient/also/1']);
});

test('so many more references are followed as lead to what is hidden', async (t) => {
  const { memory, within } = storesOf();
  const patients = Array.from({ length: 30 }, (_, at) => version(`Patient/${at}`, 1, { rowId: at }));
  const devices = [1, 2, 3].map((at) => version(`Device/${at}`, 1, { rowId: 100 + at }));
  memory.links.push(...patients, ...devices);
  const linked = await within.search.linked(scopeWith('system/Device.r'), includeOf(2));
  t.deepEqual(keysOf(linked), ['Device/1/1', 'Device/2/1']);
  t.deepEqual(memory.asked, ['include 2', 'include 8', 'include 32']);
});

test('references are followed no further than up to fifty thousand', async (t) => {
  const { memory, within } = storesOf();
  memory.links.push(...Array.from({ length: 60_000 }, (_, at) => version(`Patient/${at}`, 1, { rowId: at })));
  const error = await t.throwsAsync(within.search.linked(scopeWith('system/Device.r'), includeOf(50_000)));
  t.is((error as FhirError).code, 'LIMIT_EXCEEDED');
  t.is((await within.search.linked(scopeWith('system/Patient.r'), includeOf(50_000))).length, 50_000);
});

test('what is limited is looked up five hundred at a time', async (t) => {
  for (const [count, searches] of [
    [500, 1],
    [501, 2],
  ] as const) {
    const versions = Array.from({ length: count }, (_, at) => version(`Patient/${at}`, 1, { rowId: at }));
    const memory = new MemoryStores(versions);
    const within = withinAccess(memory, limitsTo(...versions.map(({ id }) => id)));
    memory.links.push(...versions);
    t.is((await within.search.linked(PATIENT, includeOf(1000))).length, count);
    t.is(memory.asked.filter((one) => one === 'search').length, searches);
  }
});

test('every search goes by the limits', async (t) => {
  const { memory, within } = storesOf(...mine, ...hidden);
  const plan: SearchPlan = { type: 'Observation', where: { kind: 'all', of: [] }, sort: [] };
  t.deepEqual(keysOf(await within.search.page(PATIENT, plan, { count: 9 })), ['Observation/mine/3']);
  const first = await within.search.firstPage(PATIENT, plan, { count: 9, countTo: 9 });
  t.deepEqual(keysOf(first.rows), ['Observation/mine/3']);
  t.is(await within.search.count(PATIENT, plan), 1);
  t.is((await within.search.match(PATIENT, plan)).length, 1);
  t.is((await within.search.explain(PATIENT, plan, { count: 9 })).length, 1);
  t.true(await within.search.hasStaleCopies(PATIENT, ['Observation']));
  await within.resources.write({ changes: [] });
  t.is(memory.asked.at(-1), 'write');
});
