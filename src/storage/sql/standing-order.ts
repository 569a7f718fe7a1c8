import type { Condition, RowKey, SearchPlan } from '../search-store.js';
import type { ScopedTables } from './scoped-tables.js';
import type { PlanShape, SortShape } from './search-shape.js';

/** What resources are in the order of where nobody asked for one: their age, id, last change, or type and id. */
export type StandingOrder = 'age' | 'id' | 'updated' | 'type';

/** The columns of HFJ_RESOURCE that have an order other than by age; one key of the table leads along each. */
export const ORDERS = {
  id: ['FHIR_ID', 'RES_ID'],
  updated: ['RES_UPDATED', 'RES_ID'],
  type: ['RES_TYPE_ID', 'FHIR_ID', 'RES_ID'],
} as const satisfies Record<Exclude<StandingOrder, 'age'>, readonly string[]>;

/**
 * The order of a plan without sort keys, by what it asks for alone. Which of its types, paths and systems were ever
 * written decides how it is answered, and is known of all tenants together: no order may tell of that.
 */
export function standingOrder({ type, where, order }: SearchPlan): StandingOrder {
  const parts = partsOf(where);
  const isById = parts.some(({ kind }) => kind === 'ids');
  if (order === 'age' || (!isById && parts.some(isSought))) return 'age';
  if (!isById && parts.some(({ kind }) => kind === 'updated')) return 'updated';
  return typeof type === 'string' ? 'id' : 'type';
}

/** What has to hold together. */
function partsOf(where: Condition): readonly Condition[] {
  if (where.kind === 'all') return where.of.flatMap(partsOf);
  const [only, ...others] = where.kind === 'any' ? where.of : [];
  return only !== undefined && others.length === 0 ? partsOf(only) : [where];
}

/** Whether an index row stands behind every match. */
function isSought(part: Condition): boolean {
  switch (part.kind) {
    case 'any':
      return part.of.every((one) => partsOf(one).some((own) => own.kind === 'ids' || isSought(own)));
    case 'all':
    case 'not':
    case 'ids':
    case 'types':
    case 'updated':
      return false;
    case 'index':
    case 'element':
    case 'contained':
    case 'chain':
    case 'has':
      return true;
  }
}

/** Of what kind the values are that resources are sorted by. */
const KINDS = {
  id: 'string',
  updated: 'number',
  type: 'number',
  relevance: 'number',
  token: 'string',
  string: 'string',
  uri: 'string',
  date: 'number',
  number: 'number',
  quantity: 'number',
  reference: 'number',
} as const;

type Tables = Pick<ScopedTables, 'plural'>;

/** Whether a page of the plan can begin behind the key: a link may be from before a parameter was changed. */
export function canBeginAt(key: RowKey, plan: PlanShape, tables: Tables): boolean {
  const kinds = kindsOf(plan, tables);
  return (
    key.length === kinds.length &&
    key.every((value, index) => value === null || typeof value === kinds[index])
  );
}

function kindsOf({ contained, sort, standing }: PlanShape, { plural }: Tables): readonly string[] {
  if (contained !== null) return ['number', 'number'];
  if (sort.length > 0) return [...sort.map(kindOf), 'number'];
  if (plural || standing === 'age') return ['number'];
  return ORDERS[standing].map((column) => (column === 'FHIR_ID' ? 'string' : 'number'));
}

function kindOf(sort: SortShape): string {
  return KINDS[sort.by === 'index' ? sort.index : sort.by];
}
