import type { PartitionId } from '../../../model/partition.js';
import { type ParamSet, UNKNOWN_SET } from '../param-sets.js';
import { int4Array, int8Array, textArray } from './binary-array.js';
import { PARAM_SET_SQL } from './param-set-sql.js';
import type { PgStatement, PgValue } from './statement.js';

/** A resource and the paths that it has rows on; null: not known. */
interface OwnedSet {
  readonly typeId: number;
  readonly params: ParamSet | null;
}

/** Each set once: types, ids, texts. */
export function paramSetArrays(resources: readonly OwnedSet[]): PgValue[] {
  const sets = new Map(
    resources.flatMap(({ typeId, params }) =>
      params === null ? [] : [[`${typeId} ${params.text}`, { typeId, ...params }] as const],
    ),
  );
  const list = [...sets.values()];
  return [
    int4Array(list.map(({ typeId }) => typeId)),
    int4Array(list.map(({ id }) => id)),
    textArray(list.map(({ text }) => text)),
  ];
}

/** RES_PARAMS_IDs of the resources. */
export function paramSetIds(resources: readonly Pick<OwnedSet, 'params'>[]): Buffer {
  return int4Array(resources.map(({ params }) => params?.id ?? UNKNOWN_SET));
}

/** Gives resources that are there their sets, as long as they are at these versions. */
export function setParams(
  partition: PartitionId,
  resources: readonly (OwnedSet & { readonly rowId: number; readonly version: number })[],
): PgStatement {
  const values = [
    partition,
    null,
    ...paramSetArrays(resources),
    int8Array(resources.map(({ rowId }) => rowId)),
    int4Array(resources.map(({ version }) => version)),
    paramSetIds(resources),
  ];
  return { name: 'set params', text: PARAM_SET_SQL.set, values };
}
