import { FhirError } from '../../../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../../model/partition.js';
import type { AddedRows, Reindexed } from '../../placement/home.js';
import { UNINDEXED_REFERENCE } from '../dictionary.js';
import {
  distinctRows,
  type LinkRow,
  outdatedValueRows,
  toLinkRows,
  toValueRows,
  type ValueRow,
} from '../index-rows.js';
import { type ParamSet, toParamSet } from '../param-sets.js';
import { int4Array, int8Array, textArray } from './binary-array.js';
import { type OwnedRows, valueArrays } from './change-arrays.js';
import type { PostgresConnections } from './connections.js';
import { refusalOf } from './database-error.js';
import { toKeyText } from './key-text.js';
import { setParams } from './param-set-arrays.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { REINDEX_SQL } from './reindex-sql.js';
import { RowNames } from '../row-names.js';
import type { PgStatement } from './statement.js';

/** What index rows are added with. */
export interface ReindexParts {
  readonly connections: PostgresConnections;
  readonly dictionary: PostgresDictionary;
  /** Every partition whose rows may be here. */
  readonly partitions: () => Promise<readonly PartitionId[]>;
}

/** A link that is there; type and id are null where its target has gone, or is none of this server. */
type PresentLink = readonly [
  rowId: number,
  paramId: number,
  targetId: number,
  url: string,
  typeId: number | null,
  id: string | null,
  targetType: number,
];

interface LinkKey {
  readonly paramId: number;
  readonly targetId: number;
  readonly url: string;
}

interface NewLink extends LinkKey {
  readonly typeId: number;
}

/** A resource with all rows that it should have. */
interface Prepared {
  readonly resource: Reindexed;
  readonly typeId: number;
  readonly values: readonly ValueRow[];
  readonly links: readonly LinkRow[];
  /** Rows that it must not have. */
  readonly outdated: readonly ValueRow[];
  /** PARAM_IDs under which it may have links that it must not have. */
  readonly doubtful: ReadonlySet<number>;
}

/** A resource with the rows that it has not. */
interface Lacking {
  readonly resource: Reindexed;
  readonly typeId: number;
  /** Which paths it has rows on once none is missing. */
  readonly params: ParamSet;
  readonly values: readonly ValueRow[];
  readonly links: readonly NewLink[];
  readonly outdated: readonly ValueRow[];
  /** Links that it must not have: without a path where they have one now, or of a version before. */
  readonly dropped: readonly LinkKey[];
}

/**
 * Adds what is missing of index rows. It is looked for without a lock: only what is missing is written while writers
 * of the partition wait, as a writer whose statement has begun would not see the rows that it has to delete.
 * @throws FhirError UNKNOWN_PARTITION
 */
export async function addIndexRows(
  parts: ReindexParts,
  partition: PartitionId,
  resources: readonly Reindexed[],
): Promise<AddedRows> {
  const lacking = await findLacking(parts, partition, await prepareAll(parts.dictionary, resources));
  if (lacking.length === 0) return { added: 0, stale: [] };
  const current = await write(parts, partition, lacking);
  const done = lacking.filter(({ resource }) => current.has(resource.rowId));
  const stale = lacking.filter(({ resource }) => !current.has(resource.rowId));
  return {
    added: done.reduce((sum, { values, links }) => sum + values.length + links.length, 0),
    stale: stale.map(({ resource }) => resource.rowId),
  };
}

async function prepareAll(
  dictionary: PostgresDictionary,
  resources: readonly Reindexed[],
): Promise<readonly Prepared[]> {
  const names = new RowNames(dictionary, (added) => dictionary.add(added));
  const prepare = (resource: Reindexed): Prepared => {
    const { type, index, references, outdated } = resource;
    const values = distinctRows(toValueRows(names, type, index));
    const before = outdated.flatMap((one) => toLinkRows(names, type, one, []));
    return {
      resource,
      typeId: names.ensureType(type),
      values,
      links: toLinkRows(names, type, index, references),
      outdated: outdatedValueRows(names, type, { outdated, current: values }),
      doubtful: new Set([UNINDEXED_REFERENCE, ...before.map(({ paramId }) => paramId)]),
    };
  };
  const prepared = resources.map(prepare);
  if (names.isComplete) return prepared;
  await names.settle();
  return resources.map(prepare);
}

async function findLacking(
  parts: ReindexParts,
  partition: PartitionId,
  prepared: readonly Prepared[],
): Promise<readonly Lacking[]> {
  const keys = prepared.map((one) => ({ rowId: one.resource.rowId, rows: one.values }));
  const missing = {
    name: 'missing index rows',
    text: REINDEX_SQL.missingValues,
    values: [partition, null, ...valueArrays('keys', keys)],
  };
  const rowIds = int8Array(prepared.map(({ resource }) => resource.rowId));
  const sets = { name: 'param sets', text: REINDEX_SQL.params, values: [partition, rowIds] };
  const [found, known] = await parts.connections.read([partition], [missing, sets]);
  const params = new Map((known?.rows ?? []) as unknown as readonly (readonly [number, number])[]);
  const isMissing = new Set(found?.rows.map(([kind, n]) => `${String(kind)} ${String(n)}`));
  const links = Map.groupBy(await readLinks(parts, partition, prepared), ([rowId]) => rowId);
  const counts = new Map<string, number>();
  const lacks = ({ table }: ValueRow): boolean => {
    const n = (counts.get(table) ?? 0) + 1;
    counts.set(table, n);
    return isMissing.has(`${table} ${n}`);
  };
  return prepared
    .map(({ resource, typeId, ...one }) => ({
      resource,
      typeId,
      values: one.values.filter(lacks),
      outdated: one.outdated,
      ...lackingLinks(parts.dictionary, { resource, typeId, ...one }, links.get(resource.rowId) ?? []),
    }))
    .filter(
      (one) =>
        params.get(one.resource.rowId) !== one.params.id ||
        [one.values, one.links, one.outdated, one.dropped].some(({ length }) => length > 0),
    );
}

/** Targets are looked for in their usual places first: there may be thousands of partitions. */
async function readLinks(
  { connections, partitions }: ReindexParts,
  partition: PartitionId,
  prepared: readonly Prepared[],
): Promise<readonly PresentLink[]> {
  const rowIds = prepared.flatMap(({ resource, links, doubtful }) =>
    links.length > 0 || doubtful.size > 1 ? resource.rowId : [],
  );
  if (rowIds.length === 0) return [];
  const readIn = async (places: readonly PartitionId[]): Promise<readonly PresentLink[]> => {
    const values = [partition, int8Array(rowIds), int4Array(places)];
    const [found] = await connections.read(places, [{ text: REINDEX_SQL.links, values }]);
    return (found?.rows ?? []) as unknown as readonly PresentLink[];
  };
  const near = await readIn([...new Set([partition, DEFAULT_PARTITION_ID])]);
  const isComplete = near.every(([, , , url, typeId]) => url !== '' || typeId !== null);
  return isComplete ? near : readIn([...new Set([partition, ...(await partitions())])]);
}

/**
 * Whatever a resource refers to is among its links already, under a path or none; a target that has gone since can
 * have no further ones.
 */
function lackingLinks(
  dictionary: PostgresDictionary,
  { values, links, doubtful }: Prepared,
  present: readonly PresentLink[],
): Pick<Lacking, 'links' | 'dropped' | 'params'> {
  const targets = new Map(present.map(([, , targetId, , typeId, id]) => [`${typeId}/${id}`, targetId]));
  const linked = new Set(present.map(([, paramId, targetId, url]) => `${paramId} ${targetId} ${url}`));
  const wanted = new Set<string>();
  const lacking: NewLink[] = [];
  for (const { paramId, target, url: text } of links) {
    const url = target ? '' : toKeyText(text);
    const typeId = target ? (dictionary.typeId(target.type) ?? 0) : 0;
    const targetId = target ? targets.get(`${typeId}/${target.id}`) : 0;
    const key = `${paramId} ${targetId} ${url}`;
    if (targetId === undefined || wanted.has(key)) continue;
    wanted.add(key);
    if (!linked.has(key)) lacking.push({ paramId, targetId, typeId, url });
  }
  const isDropped = ([, paramId, targetId, url, typeId]: PresentLink): boolean => {
    const isKnown = doubtful.has(paramId) && (url !== '' || typeId !== null);
    return isKnown && !wanted.has(`${paramId} ${targetId} ${url}`);
  };
  const [dropped, kept] = [present.filter(isDropped), present.filter((link) => !isDropped(link))];
  const types = kept.map(([, paramId, , , , , typeId]) => ({ paramId, typeId }));
  return {
    links: lacking,
    dropped: dropped.map(([, paramId, targetId, url]) => ({ paramId, targetId, url })),
    params: toParamSet(values, [...types, ...lacking]),
  };
}

/** Answers the row ids of resources that were at their versions. */
async function write(
  { connections }: ReindexParts,
  partition: PartitionId,
  lacking: readonly Lacking[],
): Promise<ReadonlySet<number>> {
  const byDate = Map.groupBy(lacking, ({ resource }) => resource.date as string | null);
  const statements = [...byDate].map(([date, group]) => addRows(partition, date, group));
  const sets = setParams(
    partition,
    lacking.map(({ resource: { rowId, version }, typeId, params }) => ({ rowId, version, typeId, params })),
  );
  try {
    const results = await connections.write([partition], [...statements, sets], 'exclusive');
    return new Set(results.flatMap(({ rows }) => rows.map(([rowId]) => rowId as number)));
  } catch (error) {
    if (refusalOf(error)?.kind !== 'gone') throw error;
    throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.', { cause: error });
  }
}

function addRows(partition: PartitionId, date: string | null, group: readonly Lacking[]): PgStatement {
  const owned = (kind: 'values' | 'outdated'): readonly OwnedRows[] =>
    group.map((one) => ({ rowId: one.resource.rowId, rows: one[kind] }));
  const added = group.flatMap((one) => one.links.map((link) => ({ rowId: one.resource.rowId, ...link })));
  const dropped = group.flatMap((one) => one.dropped.map((link) => ({ rowId: one.resource.rowId, ...link })));
  const values = [
    partition,
    date,
    int8Array(group.map(({ resource }) => resource.rowId)),
    int4Array(group.map(({ resource }) => resource.version)),
    ...valueArrays('rows', owned('values')),
    int8Array(added.map(({ rowId }) => rowId)),
    int4Array(added.map(({ paramId }) => paramId)),
    int8Array(added.map(({ targetId }) => targetId)),
    int4Array(added.map(({ typeId }) => typeId)),
    textArray(added.map(({ url }) => url)),
    ...valueArrays('keys', owned('outdated')),
    int8Array(dropped.map(({ rowId }) => rowId)),
    int4Array(dropped.map(({ paramId }) => paramId)),
    int8Array(dropped.map(({ targetId }) => targetId)),
    textArray(dropped.map(({ url }) => url)),
  ];
  return { name: 'add index rows', text: REINDEX_SQL.addRows, values };
}
