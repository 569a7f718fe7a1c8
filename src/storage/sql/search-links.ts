import type { IncludeQuery } from '../search-store.js';
import type { Dictionary } from './dictionary.js';
import { rowColumns } from './search-columns.js';
import type { WrittenQuery } from './search-query.js';
import type { RowSql } from './search-rows.js';
import type { ShapeMaker } from './search-shape.js';
import { isEmpty, toMarkers, type Slot, type SlotList, type Slots } from './slots.js';

/** A query for includes without its values. */
export interface LinkShape {
  readonly direction: IncludeQuery['direction'];
  readonly params: SlotList;
  readonly target: Slot | null;
  readonly from: Slot;
  readonly limit: Slot;
}

/** What a link shape is made with. */
interface LinkParts {
  readonly slots: Slots;
  readonly shapes: ShapeMaker;
  readonly dictionary: Dictionary;
}

/** Null where nothing can be found: a type or path that was never written. */
export function toLinkShape(query: IncludeQuery, { slots, shapes, dictionary }: LinkParts): LinkShape | null {
  const target = query.targetType === null ? null : dictionary.typeId(query.targetType);
  const params =
    query.paths === null
      ? slots.addJson(dictionary.pathIds('reference', query.sourceType))
      : shapes.params('reference', [{ type: query.sourceType, paths: query.paths }]);
  if (target === undefined || query.from.length === 0 || isEmpty(params)) return null;
  return {
    direction: query.direction,
    params,
    target: target === null ? null : slots.add(target),
    from: slots.add(JSON.stringify(query.from)),
    limit: slots.add(query.limit),
  };
}

/** The found resources' links first, then the resources at the other end; SQLite keeps this order. */
export function writeLinked(sql: RowSql, shape: LinkShape): WrittenQuery {
  const [near, far] =
    shape.direction === 'include'
      ? (['RES_ID', 'TARGET_RES_ID'] as const)
      : (['TARGET_RES_ID', 'RES_ID'] as const);
  const { knex, jsonNumbers } = sql.dialect;
  const { query: links, alias } = sql.linksAt({
    found: knex.raw(jsonNumbers('j'), toMarkers([shape.from])),
    at: { column: near, value: 'j.value' },
    params: shape.params,
  });
  links.distinct(knex.raw(`${alias}.${far} as FAR`));
  if (shape.target !== null) links.whereRaw(`${alias}.TARGET_TYPE_ID = ?`, toMarkers([shape.target]));
  const query = knex.queryBuilder().from(links.as('k'));
  sql.tables.join(query, 'HFJ_RESOURCE', 'r').whereRaw('r.RES_ID = k.FAR and r.RES_DELETED_AT is null');
  query
    .select(rowColumns('r', sql, 'any'))
    .orderByRaw('r.RES_ID asc')
    .limit(...(toMarkers([shape.limit]) as [number]));
  return { query, cost: 'cheap', plan: 'generic' };
}
