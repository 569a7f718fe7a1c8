import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import type { PartitionId } from '../../../src/model/partition.js';
import type { Storage } from '../../../src/storage/storage.js';
import type { TestDatabase } from '../../support/test-database.js';
import { FhirClient } from '../support/fhir-client.js';
import { openExportWorld, versionsOf, walkAll } from './storage-fixtures.js';

const WRITERS = 6;
const WRITES = 40;
const TYPES = ['Patient', 'Basic'] as const;

/** Numbers that are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

/** One of few, so that several writers meet at it; of any length. */
function resourceOf(random: (below: number) => number, id = `r${random(12)}`) {
  const type = TYPES[random(2)]!;
  const code = { text: 'x'.repeat(1 + random(900)) };
  return {
    path: `${type}/${id}`,
    resource:
      type === 'Basic' ? { resourceType: type, id, code } : { resourceType: type, id, maritalStatus: code },
  };
}

/** Two that are there or not, and a new one. */
function transactionOf(random: (below: number) => number) {
  const first = random(12);
  const puts = [first, (first + 1) % 12].map((n) => resourceOf(random, `r${n}`));
  const created = { resourceType: 'Basic', code: { text: 'new' } };
  const entry = [
    ...puts.map(({ path, resource }) => ({ resource, request: { method: 'PUT', url: path } })),
    { resource: created, request: { method: 'POST', url: 'Basic' } },
  ];
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

/** Creates, updates, deletes and transactions, one after the other; answers the status of each. */
async function writeMany(client: FhirClient, seed: number): Promise<readonly number[]> {
  const random = numbers(seed);
  const statuses: number[] = [];
  for (let turn = 0; turn < WRITES; turn++) {
    const { path, resource } = resourceOf(random);
    const kind = random(4);
    if (kind === 0) statuses.push((await client.delete(path)).status);
    else if (kind < 3) statuses.push((await client.put(path, resource)).status);
    else statuses.push((await client.post('', transactionOf(random))).status);
  }
  return statuses;
}

interface Exported {
  readonly since: number;
  readonly at: number;
  readonly versions: readonly string[];
  readonly deleted: readonly string[];
}

/** One export of all types, in pages of any size, while others write. */
async function exportAll(
  storage: Storage,
  partition: PartitionId,
  { since, bytes }: { readonly since: number; readonly bytes: number },
): Promise<Exported> {
  return storage.useExports(partition, async (exports) => {
    const at = await exports.freeze(partition, async (snapshot) => snapshot.at);
    const walked = [];
    for (const type of TYPES) {
      const { entries, deleted, lines, unreadable } = await walkAll(exports, partition, {
        type,
        since,
        until: at,
        bytes,
      });
      if (unreadable.length > 0) throw new Error('Something cannot be read.');
      const written = lines.map((line) => JSON.parse(line) as { id: string; meta: { versionId: string } });
      if (written.map(({ id, meta }) => `${id}/${meta.versionId}`).join() !== versionsOf(entries).join())
        throw new Error('Lines and entries differ.');
      walked.push({
        versions: versionsOf(entries).map((one) => `${type}/${one}`),
        deleted: versionsOf(deleted).map((one) => `${type}/${one}`),
      });
    }
    return {
      since,
      at,
      versions: walked.flatMap(({ versions }) => versions).toSorted(),
      deleted: walked.flatMap(({ deleted }) => deleted).toSorted(),
    };
  });
}

type Version = readonly [
  rowId: number,
  type: string,
  id: string,
  version: number,
  updated: number,
  isDeleted: number,
];

/** Every version that there ever was. */
async function history(database: TestDatabase, partition: PartitionId): Promise<readonly Version[]> {
  const types = new Map(
    (await database.rows('select RES_TYPE_ID, RES_TYPE from HFJ_RES_TYPE')) as [number, string][],
  );
  const columns =
    'RES_ID, RES_TYPE_ID, FHIR_ID, RES_VER, RES_UPDATED, case when RES_DELETED_AT is null then 0 else 1 end';
  const rows = await Promise.all(
    ['HFJ_RESOURCE', 'HFJ_RES_VER'].map((table) =>
      database.rows(`select ${columns} from ${table} where PARTITION_ID = ${partition}`),
    ),
  );
  return (rows.flat() as [number, number, string, number, number, number][]).map(
    ([rowId, typeId, ...rest]) => [rowId, types.get(typeId) ?? '', ...rest] as const,
  );
}

/** What the whole history says of the time. */
function stateAt(
  versions: readonly Version[],
  { since, at }: Exported,
): Pick<Exported, 'versions' | 'deleted'> {
  const last = new Map<number, Version>();
  for (const version of versions) {
    const before = last.get(version[0]);
    if (version[4] <= at && (before === undefined || before[3] < version[3])) last.set(version[0], version);
  }
  const inRange = [...last.values()].filter(([, , , , updated]) => updated > since);
  const named = (isDeleted: number): readonly string[] =>
    inRange
      .filter((one) => one[5] === isDeleted)
      .map(([, type, id, version]) => `${type}/${id}/${version}`)
      .toSorted();
  return { versions: named(0), deleted: named(1) };
}

test('exports are the state at their time, whatever two servers with different clocks write meanwhile', async (t) => {
  const { database, storage, acme, ids } = await openExportWorld(t, { settings: { placement: 'shared' } });
  const behind = await createTestServer({
    database,
    settings: { exportWorkers: 0 },
    clock: () => Date.now() - 5_000,
  });
  t.teardown(() => behind.stop());
  const clients = [acme, new FhirClient(behind.url).tenant('acme')];
  const writing = { left: WRITERS };
  const writers = Array.from({ length: WRITERS }, async (_, index) => {
    const statuses = await writeMany(clients[index % 2]!, index + 1);
    writing.left--;
    return statuses;
  });
  const exported: Exported[] = [];
  const random = numbers(99);
  while (writing.left > 0) {
    exported.push(await exportAll(storage, ids.acme, { since: 0, bytes: 1 + random(3_000) }));
    const since = exported[random(exported.length)]!.at;
    exported.push(await exportAll(storage, ids.acme, { since, bytes: 1 + random(3_000) }));
  }
  const refused = (await Promise.all(writers)).flat().filter((status) => status >= 300);
  t.deepEqual(refused, []);
  const versions = await history(database, ids.acme);
  t.true(
    exported.length >= 2 && versions.length > WRITERS * 5,
    `${exported.length} exports, ${versions.length} versions`,
  );
  for (const one of exported) {
    const { versions: live, deleted } = stateAt(versions, one);
    t.deepEqual([one.versions, one.deleted], [live, deleted], `from ${one.since} to ${one.at}`);
  }
  const times = exported.map(({ at }) => at);
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});
