import type { Statement } from 'better-sqlite3';
import type { PartitionId } from '../../../model/partition.js';
import { type ParamSet, UNKNOWN_SET } from '../param-sets.js';
import type { SqliteDatabase } from './open.js';
import { prepareAll } from './statements.js';

/** The SQL of sets of paths; the guard test reads it. */
export const PARAM_SET_SQL = {
  add: `insert or ignore into HFJ_RES_PARAMS
    (PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, RES_PARAMS_ID, SP_PARAMS) values (?, null, ?, ?, ?)`,
  set: `update HFJ_RESOURCE set RES_PARAMS_ID = @id
    where +PARTITION_ID = @partition and RES_ID = @rowId and RES_VER = @version and RES_PARAMS_ID <> @id`,
} as const;

/** A version of a resource. */
interface Owner {
  readonly partition: PartitionId;
  readonly typeId: number;
  readonly rowId: number;
  readonly version: number;
}

/** Keeps which paths resources have index rows on; called inside transactions. */
export class ParamSetWriter {
  private readonly sql: Readonly<Record<keyof typeof PARAM_SET_SQL, Statement>>;

  constructor(db: SqliteDatabase) {
    this.sql = prepareAll(db, PARAM_SET_SQL);
  }

  /** The RES_PARAMS_ID of a resource that has the set, which is in HFJ_RES_PARAMS from now on. */
  idOf(partition: PartitionId, typeId: number, params: ParamSet | null): number {
    if (params === null) return UNKNOWN_SET;
    this.sql.add.run(partition, typeId, params.id, params.text);
    return params.id;
  }

  /** Gives a resource that is there the set. */
  set({ partition, typeId, rowId, version }: Owner, params: ParamSet | null): void {
    this.sql.set.run({ partition, rowId, version, id: this.idOf(partition, typeId, params) });
  }
}
