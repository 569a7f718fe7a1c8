import { linkMark, UNKNOWN_SET } from '../../src/storage/sql/param-sets.js';
import type { StoredRow } from './stored-rows.js';

const VALUE_TABLES = ['TOKEN', 'STRING', 'DATE', 'NUMBER', 'QUANTITY', 'URI'].map(
  (name) => `HFJ_SPIDX_${name}`,
);
const KEY = 'PARTITION_ID, RES_ID';

/** Which paths live resources have rows on, as their sets tell it. */
export interface FoundSets {
  /** Resources whose set tells something else than their rows, or whose set is nowhere. */
  readonly wrong: readonly string[];
  /** How many have no set. */
  readonly unknown: number;
  readonly known: number;
}

/** Compares the sets of all live resources with their rows. */
export async function findSets(rows: (sql: string) => Promise<readonly StoredRow[]>): Promise<FoundSets> {
  const marks = new Map<string, Set<string>>();
  const note = (partition: unknown, rowId: unknown, mark: string): void => {
    const key = `${String(partition)} ${String(rowId)}`;
    marks.set(key, (marks.get(key) ?? new Set()).add(mark));
  };
  for (const table of VALUE_TABLES)
    for (const [partition, rowId, param] of await rows(`select distinct ${KEY}, PARAM_ID from ${table}`))
      note(partition, rowId, String(param));
  const links = await rows(
    `select distinct ${KEY}, PARAM_ID, TARGET_TYPE_ID from HFJ_RES_LINK where PARAM_ID <> 0`,
  );
  for (const [partition, rowId, param, type] of links)
    note(partition, rowId, `${linkMark(Number(param)).slice(1)}${String(type)}`);
  const texts = new Set(
    (await rows('select PARTITION_ID, RES_TYPE_ID, RES_PARAMS_ID, SP_PARAMS from HFJ_RES_PARAMS')).map(
      (row) => row.join(' '),
    ),
  );
  const resources = await rows(
    `select ${KEY}, RES_TYPE_ID, RES_PARAMS_ID, FHIR_ID from HFJ_RESOURCE where RES_DELETED_AT is null`,
  );
  const known = resources.filter(([, , , set]) => set !== UNKNOWN_SET);
  const wrong = known.filter(([partition, rowId, type, set]) => {
    const own = [...(marks.get(`${String(partition)} ${String(rowId)}`) ?? [])].toSorted().join(',');
    return !texts.has(`${String(partition)} ${String(type)} ${String(set)} ${own === '' ? ',' : `,${own},`}`);
  });
  return {
    wrong: wrong.map((row) => row.join(' ')),
    unknown: resources.length - known.length,
    known: known.length,
  };
}
