import type { StoredRow } from '../support/stored-rows.js';
import type { Journal } from './crash-journal.js';
import type { Violations } from './crash-verify.js';

const INDEX_TABLES = [
  'HFJ_SPIDX_TOKEN',
  'HFJ_SPIDX_STRING',
  'HFJ_SPIDX_DATE',
  'HFJ_SPIDX_NUMBER',
  'HFJ_SPIDX_QUANTITY',
  'HFJ_SPIDX_URI',
  'HFJ_RES_LINK',
  'HFJ_RES_SEARCH_URL',
] as const;

/** Queries that count what must not be. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    INDEX_TABLES.map((table) => [
      `rows of ${table} without a live resource in their partition`,
      `select count(*) from ${table} i left join HFJ_RESOURCE r
        on r.RES_ID = i.RES_ID and r.PARTITION_ID = i.PARTITION_ID and r.RES_DELETED_AT is null
        where r.RES_ID is null`,
    ]),
  ),
  'live resources without a token row': `select count(*) from HFJ_RESOURCE where RES_DELETED_AT is null
    and RES_ID not in (select RES_ID from HFJ_SPIDX_TOKEN)`,
  'live resources without text, or deleted ones with it': `select count(*) from HFJ_RESOURCE
    where (RES_TEXT is null) <> (RES_DELETED_AT is not null)`,
  'live resources without the set of paths that they have rows on': `select count(*) from HFJ_RESOURCE r
    where RES_DELETED_AT is null and not exists (select 1 from HFJ_RES_PARAMS p where p.PARTITION_ID = r.PARTITION_ID
      and p.RES_TYPE_ID = r.RES_TYPE_ID and p.RES_PARAMS_ID = r.RES_PARAMS_ID)`,
  'links to a target that does not live': `select count(*) from HFJ_RES_LINK l left join HFJ_RESOURCE r
    on r.RES_ID = l.TARGET_RES_ID and r.RES_DELETED_AT is null where l.TARGET_RES_ID <> 0 and r.RES_ID is null`,
  'resources whose superseded versions are not 1 to the one before': `select count(*) from HFJ_RESOURCE r
    where RES_VER - 1 <> (select count(*) from HFJ_RES_VER v where v.RES_ID = r.RES_ID and v.RES_VER < r.RES_VER)`,
  'superseded versions without a resource': `select count(*) from HFJ_RES_VER v
    where not exists (select 1 from HFJ_RESOURCE r where r.RES_ID = v.RES_ID and r.RES_VER > v.RES_VER)`,
};

/** Looks into the tables themselves, beside the running server: index rows and resources must belong together. */
export async function verifyDatabase(
  rows: (sql: string) => Promise<readonly StoredRow[]>,
  { acknowledged }: Journal,
): Promise<Violations> {
  const violations: Violations = [];
  for (const [what, sql] of Object.entries(FORBIDDEN)) {
    const count = sumOf(await rows(sql));
    if (count > 0) violations.push(`${count} ${what}`);
  }
  const seen = sumOf(await rows('select count(*) from HFJ_RESOURCE'));
  if (acknowledged > 0 && seen === 0) violations.push('the tables show no rows at all');
  return violations;
}

/** One row for each home of partitions. */
function sumOf(counts: readonly StoredRow[]): number {
  return counts.reduce((sum, [count]) => sum + Number(count), 0);
}
