import type { SearchFloor } from './search-floor.js';

/** Ids of names, which rows hold in place of them. */
export interface FloorIds {
  readonly partition: (name: string) => number;
  readonly type: (name: string) => number;
  readonly system: (url: string) => number;
  /** Of a path of Observations that is indexed as a kind, or of another type. */
  readonly path: (kind: string, path: string, type?: string) => number;
}

/** Reads all of them: there are few. */
export async function readFloorIds(floor: SearchFloor): Promise<FloorIds> {
  const read = async (sql: string): Promise<(key: string) => number> => {
    const rows = await floor.rows({ sql, values: [] });
    const ids = new Map(rows.map(([id, ...keys]) => [keys.join(' '), Number(id)]));
    return (key) => {
      const id = ids.get(key);
      if (id === undefined) throw new Error(`The database holds nothing of ${key}.`);
      return id;
    };
  };
  const path = await read(
    `select P.PARAM_ID, T.RES_TYPE, P.SP_TYPE, P.SP_PATH from HFJ_SP_PATH P
      join HFJ_RES_TYPE T on T.RES_TYPE_ID = P.RES_TYPE_ID`,
  );
  return {
    partition: await read('select PART_ID, PART_NAME from HFJ_PARTITION'),
    type: await read('select RES_TYPE_ID, RES_TYPE from HFJ_RES_TYPE'),
    system: await read('select SYS_ID, SYS_URL from HFJ_SYSTEM'),
    path: (kind, name, type = 'Observation') => path(`${type} ${kind} ${name}`),
  };
}
