import type { StoredRow } from '../support/stored-rows.js';
import type { CrashStore } from './crash-store.js';
import type { Violations } from './crash-verify.js';

/** What the rows of an index table say, without the ids that differ from one database to another. */
const TABLES: Readonly<Record<string, { readonly columns: string; readonly joins?: string }>> = {
  HFJ_SPIDX_TOKEN: {
    columns: 'i.SP_VALUE, s.SYS_URL',
    joins: 'left join HFJ_SYSTEM s on s.SYS_ID = i.SYS_ID',
  },
  HFJ_SPIDX_STRING: { columns: 'i.SP_NORM, i.SP_EXACT' },
  HFJ_SPIDX_DATE: { columns: 'i.SP_LOW, i.SP_HIGH' },
  HFJ_SPIDX_NUMBER: { columns: 'i.SP_VALUE' },
  HFJ_SPIDX_QUANTITY: {
    columns: 'i.SP_VALUE, s.SYS_URL, i.SP_CODE, i.SP_UNIT, i.SP_CANON_VALUE, i.SP_CANON_UNIT',
    joins: 'left join HFJ_SYSTEM s on s.SYS_ID = i.SYS_ID',
  },
  HFJ_SPIDX_URI: { columns: 'i.SP_VALUE' },
  HFJ_SPIDX_COMPOSITE: {
    columns: 'i.SP_VALUE, s.SYS_URL, i.SP_LOW, i.SP_UNIT, i.SP_ELEMENT, i.SP_HIGH, i.SP_CANON_UNIT',
    joins: 'left join HFJ_SYSTEM s on s.SYS_ID = i.SYS_ID',
  },
  HFJ_RES_LINK: {
    columns: 'k.RES_TYPE, g.FHIR_ID, i.TARGET_URL',
    joins: `left join HFJ_RESOURCE g on g.RES_ID = i.TARGET_RES_ID
      left join HFJ_RES_TYPE k on k.RES_TYPE_ID = i.TARGET_TYPE_ID`,
  },
};

const MOST_DIFFERENCES = 5;

/** Compares all index rows of one partition in two databases; at most some of the differences of each table. */
export async function compareRows(
  here: CrashStore,
  there: CrashStore,
  partition: number,
): Promise<{ readonly count: number; readonly violations: Violations }> {
  const violations: Violations = [];
  let count = 0;
  for (const [table, { columns, joins = '' }] of Object.entries(TABLES)) {
    const sql = `select t.RES_TYPE, r.FHIR_ID, p.SP_TYPE, p.SP_PATH, ${columns} from ${table} i
      join HFJ_RESOURCE r on r.RES_ID = i.RES_ID join HFJ_RES_TYPE t on t.RES_TYPE_ID = r.RES_TYPE_ID
      left join HFJ_SP_PATH p on p.PARAM_ID = i.PARAM_ID ${joins} where i.PARTITION_ID = ${partition}`;
    const [ours, theirs] = [toTexts(await here.rows(sql)), toTexts(await there.rows(sql))];
    count += ours.length;
    violations.push(...differences(ours, theirs).map((row) => `${table}: ${row}`));
  }
  return { count, violations };
}

function toTexts(rows: readonly StoredRow[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

/** Both are sorted; a row that is there twice differs from one that is there once. */
function differences(ours: readonly string[], theirs: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (let i = 0, j = 0; i < ours.length || j < theirs.length;) {
    const [a, b] = [ours[i], theirs[j]];
    if (a !== undefined && a === b) {
      i++;
      j++;
    } else if (b === undefined || (a !== undefined && a < b)) {
      found.push(`${a} is too much`);
      i++;
    } else {
      found.push(`${b} is missing`);
      j++;
    }
    if (found.length === MOST_DIFFERENCES) break;
  }
  return found;
}
