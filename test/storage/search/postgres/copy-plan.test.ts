import test from 'ava';
import type { PartitionId } from '../../../../src/model/partition.js';
import { MOST_REFERRERS, type PartitionCopies } from '../../../../src/storage/sql/copies.js';
import { COPY_SQL } from '../../../../src/storage/sql/postgres/copy-sql.js';
import { MOVE_SQL } from '../../../../src/storage/sql/postgres/move-sql.js';
import { LARGEST, openSkewed, SKEWED_NAMES, type SkewedDatabase } from './skewed-data.js';

const PARTITION = LARGEST as PartitionId;
/** PARAM_IDs that the data does not have yet. */
const [SOURCE, COPY, STALE] = [901, 902, 903] as const;

const RULE = {
  link: SKEWED_NAMES.pathId('Observation', 'reference', 'subject') ?? 0,
  targetType: SKEWED_NAMES.typeId('Patient') ?? 0,
  source: SOURCE,
  copy: COPY,
  stale: STALE,
};

let database: SkewedDatabase;
let prepared = 0;
/** Row ids of patients and of observations. */
let patients: readonly number[];
let observations: readonly number[];

async function idsOf(typeId: number): Promise<readonly number[]> {
  const text = `select RES_ID from HFJ_RESOURCE where PARTITION_ID = $1 and RES_TYPE_ID = $2 order by RES_ID`;
  const [found] = await database.connections.read([PARTITION], [{ text, values: [PARTITION, typeId] }]);
  return (found?.rows ?? []).map(([rowId]) => rowId as number);
}

test.before('patients with values, among more than 200,000 rows', async () => {
  database = await openSkewed();
  patients = await idsOf(1);
  observations = await idsOf(2);
  const text = `insert into HFJ_SPIDX_COMPOSITE
    (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, SP_ELEMENT, RES_ID)
    select PARTITION_ID, ${SOURCE}, 'v' || RES_ID, 0, 0, '', 0, RES_ID from HFJ_RESOURCE
    where PARTITION_ID = $1 and RES_TYPE_ID = 1`;
  const serve = { text: MOVE_SQL.setState, values: [PARTITION, 'active'] };
  await database.connections.write([PARTITION], [serve, { text, values: [PARTITION] }]);
});
test.after.always('the database goes', () => database.close());

/** Blocks that the statement touches, and the tables that it walks through. */
async function explained(
  copies: Pick<PartitionCopies, 'owners' | 'changed'>,
  mode: string,
): Promise<{ readonly blocks: number; readonly plan: string }> {
  const lists = [RULE.link, RULE.targetType, SOURCE, COPY, STALE].map((id) => `'{${id}}'`);
  const rows = [
    copies.owners,
    copies.changed.map(({ rowId }) => rowId),
    copies.changed.map(({ typeId }) => typeId),
    copies.changed.map(({ mark }) => mark),
  ].map((list) => `'{${list.join()}}'`);
  const given = [PARTITION, ...lists, ...rows, MOST_REFERRERS];
  const name = `copying_${prepared++}`;
  const steps = [
    `select set_config('plan_cache_mode', '${mode}', true)`,
    `prepare ${name} as ${COPY_SQL.write}`,
    `explain (analyze, buffers, timing off, summary off) execute ${name} (${given.join(', ')})`,
    `deallocate ${name}`,
  ];
  const results = await database.connections.write(
    [PARTITION],
    steps.map((text) => ({ text, values: [] })),
  );
  const lines = (results[2]?.rows ?? []).map(([line]) => String(line));
  const [hit = 0, read = 0] =
    /shared hit=(\d+)(?: read=(\d+))?/.exec(lines.join('\n'))?.slice(1).map(Number) ?? [];
  return { blocks: hit + (read || 0), plan: lines.join('\n') };
}

for (const mode of ['force_custom_plan', 'force_generic_plan']) {
  test.serial(`${mode}: resources get copies by walks along their own rows`, async (t) => {
    const { blocks, plan } = await explained({ owners: observations.slice(0, 100), changed: [] }, mode);
    t.notRegex(plan, /Seq Scan on hfj_|Hash Join|Merge Join/, plan);
    t.true(blocks < 4_000, plan);
  });

  test.serial(`${mode}: so do those that refer to what has changed`, async (t) => {
    const changed = [{ rowId: patients[7] ?? 0, typeId: 1, mark: 1 }];
    const { blocks, plan } = await explained({ owners: [], changed }, mode);
    t.notRegex(plan, /Seq Scan on hfj_|Hash Join|Merge Join/, plan);
    t.true(blocks < 4_000, plan);
  });
}
