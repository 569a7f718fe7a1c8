import { NEXT_TYPE_ID, typeIdOf } from '../type-ids.js';
import { int4Array, textArray } from './binary-array.js';

/** Adds the types that are not there; see `typeValues`. */
export const ADD_TYPES = `insert into HFJ_RES_TYPE (RES_TYPE_ID, RES_TYPE) overriding system value
  select n.ID + case when exists (select 1 from HFJ_RES_TYPE o where o.RES_TYPE_ID = n.ID) then ${NEXT_TYPE_ID} else 0 end, n.NAME
  from unnest($1::integer[], $2::text[]) n (ID, NAME)
  where not exists (select 1 from HFJ_RES_TYPE t where t.RES_TYPE = n.NAME) on conflict do nothing`;

/** What ADD_TYPES is given. */
export function typeValues(types: readonly string[]): readonly Buffer[] {
  return [int4Array(types.map(typeIdOf)), textArray(types)];
}
