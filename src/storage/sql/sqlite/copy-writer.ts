import type { Statement } from 'better-sqlite3';
import { MOST_REFERRERS, type CopyIds, type PartitionCopies } from '../copies.js';
import type { SqliteDatabase } from './open.js';
import { prepareAll } from './statements.js';

/** The SQL of copies; the guard test reads it. Rules are a JSON list of lists: link, type, source, copy. */
export const COPY_SQL = {
  referrers: `select distinct l.RES_ID from HFJ_RES_LINK l
    where l.PARTITION_ID = @partition and l.PARAM_ID in (select value from json_each(@links))
      and l.TARGET_RES_ID = @rowId limit @limit`,
  remove: `delete from HFJ_SPIDX_COMPOSITE
    where +PARTITION_ID = @partition and RES_ID in (select value from json_each(@owners))
      and PARAM_ID in (select value from json_each(@copies))`,
  add: `insert or ignore into HFJ_SPIDX_COMPOSITE
    (PARTITION_ID, PARTITION_DATE, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, SP_ELEMENT, RES_ID)
    select l.PARTITION_ID, l.PARTITION_DATE, json_extract(r.value, '$[3]'), v.SP_VALUE, v.SYS_ID, 0, v.SP_UNIT, 0, l.RES_ID
    from json_each(@owners) o
    cross join HFJ_RES_LINK l on +l.PARTITION_ID = @partition and l.RES_ID = o.value
    cross join json_each(@rules) r
      on json_extract(r.value, '$[0]') = l.PARAM_ID and json_extract(r.value, '$[1]') = l.TARGET_TYPE_ID
    cross join HFJ_SPIDX_COMPOSITE v
      on +v.PARTITION_ID = @partition and v.RES_ID = l.TARGET_RES_ID and v.PARAM_ID = json_extract(r.value, '$[2]')`,
  addStale: `insert or ignore into HFJ_SPIDX_COMPOSITE
    (PARTITION_ID, PARTITION_DATE, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, SP_ELEMENT, RES_ID)
    values (@partition, null, @param, '', 0, @mark, '', 0, @rowId)`,
  stale: `select PARAM_ID, RES_ID, SP_LOW from HFJ_SPIDX_COMPOSITE
    where PARTITION_ID = @partition and PARAM_ID in (select value from json_each(@params)) limit @limit`,
  settle: `delete from HFJ_SPIDX_COMPOSITE where PARTITION_ID = @partition and PARAM_ID = @param
    and SP_VALUE = '' and SYS_ID = 0 and SP_LOW = @mark and SP_UNIT = '' and RES_ID = @rowId and SP_ELEMENT = 0`,
  drop: `delete from HFJ_SPIDX_COMPOSITE where PARTITION_ID = @partition
    and (PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, RES_ID, SP_ELEMENT) in
      (select PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, RES_ID, SP_ELEMENT from HFJ_SPIDX_COMPOSITE
       where PARTITION_ID = @partition and PARAM_ID in (select value from json_each(@params)) limit @limit)`,
} as const;

/** Keeps copies of targets' values with the resources that refer to them; called inside transactions. */
export class CopyWriter {
  private readonly sql: Readonly<Record<keyof typeof COPY_SQL, Statement>>;

  constructor(db: SqliteDatabase) {
    this.sql = prepareAll(db, COPY_SQL);
  }

  /** Gives the owners of copies, and those that refer to what has changed, the values that there are now. */
  write({ partition, rules, owners, changed }: PartitionCopies): void {
    const all = new Set(owners);
    let left = MOST_REFERRERS;
    for (const { rowId, typeId, mark } of changed) {
      const own = rules.filter(({ targetType }) => targetType === typeId);
      const links = JSON.stringify([...new Set(own.map(({ link }) => link))]);
      const referrers = this.sql.referrers.all({ partition, links, rowId, limit: left + 1 }) as [number][];
      if (referrers.length > left) {
        this.sql.addStale.run({ partition, param: own[0]?.stale, mark, rowId });
        continue;
      }
      left -= referrers.length;
      for (const [referrer] of referrers) all.add(referrer);
    }
    if (all.size > 0) this.renew(partition, rules, [...all]);
  }

  private renew(partition: number, rules: readonly CopyIds[], rowIds: readonly number[]): void {
    const owners = JSON.stringify(rowIds);
    const copies = JSON.stringify([...new Set(rules.map(({ copy }) => copy))]);
    const lists = rules.map(({ link, targetType, source, copy }) => [link, targetType, source, copy]);
    this.sql.remove.run({ partition, owners, copies });
    this.sql.add.run({ partition, owners, rules: JSON.stringify(lists) });
  }
}
