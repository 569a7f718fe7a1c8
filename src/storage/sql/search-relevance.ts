import type { Knex } from 'knex';
import { ConditionSql } from './search-conditions.js';
import type { RowSql } from './search-rows.js';
import type { PlanShape } from './search-shape.js';
import type { TextSlots } from './text-dialect.js';

/**
 * RES_ID of all matches, and as K0 how well their words fit. What has words is walked through once and looked up in
 * the list of matches, not the other way round: nothing else has an index of these scores.
 */
export function relevantMatches(sql: RowSql, plan: PlanShape, text: TextSlots): Knex.QueryBuilder {
  const { knex, inList } = sql.dialect;
  const matches = new ConditionSql(sql).matching(plan, 'ids');
  return knex
    .queryBuilder()
    .from(sql.relevance(text).as('m'))
    .where(knex.raw(inList('m.RES_ID'), [matches]))
    .select('m.RES_ID', 'm.SCORE as K0');
}
