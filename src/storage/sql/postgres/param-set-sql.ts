import { names, Parameters } from './statement-parameters.js';

const PARAM_SET_COLUMNS = [
  ['RES_TYPE_ID', 'integer'],
  ['RES_PARAMS_ID', 'integer'],
  ['SP_PARAMS', 'text'],
] as const;

/** Sets of paths that the partition does not have yet. */
export function newParamSets(parameters: Parameters): string {
  const same = PARAM_SET_COLUMNS.map(([name]) => `s.${name} = v.${name}`).join(' and ');
  return `NEW_PARAMS as (insert into HFJ_RES_PARAMS (PARTITION_ID, ${names(PARAM_SET_COLUMNS)})
    select $1::integer, v.* from ${parameters.rows(PARAM_SET_COLUMNS)} v (${names(PARAM_SET_COLUMNS)})
    where not exists (select 1 from HFJ_RES_PARAMS s where s.PARTITION_ID = $1::integer and ${same}))`;
}

/** Sets of paths of resources that are there already, at the version that they were made of. */
function setParamsSql(): string {
  const parameters = new Parameters();
  const sets = newParamSets(parameters);
  const resources = [
    ['RES_ID', 'bigint'],
    ['RES_VER', 'integer'],
    ['RES_PARAMS_ID', 'integer'],
  ] as const;
  return `with ${sets} update HFJ_RESOURCE r set RES_PARAMS_ID = v.RES_PARAMS_ID
    from ${parameters.rows(resources)} v (${names(resources)})
    where r.PARTITION_ID = $1::integer and r.RES_ID = v.RES_ID and r.RES_VER = v.RES_VER
      and r.RES_PARAMS_ID <> v.RES_PARAMS_ID and $2::date is null`;
}

/** The guard test reads it. */
export const PARAM_SET_SQL = { set: setParamsSql() } as const;
