import type { Condition, SearchPlan, SearchWindow, SortKey } from '../../../src/storage/search-store.js';
import * as c from './conditions.js';

/** A search over several types, as system-level searches and compartments ask for it. */
export interface SeveralShape {
  readonly plan: SearchPlan;
  readonly window: SearchWindow;
}

const FIRST: SearchWindow = { count: 50 };
const ofTypes = (types: readonly string[], where: Condition): Condition =>
  c.all({ kind: 'types', types }, where);

function several(where: Condition, ...sort: SortKey[]): SeveralShape {
  return { plan: { type: ['Patient', 'Observation'], where, sort }, window: FIRST };
}

const subject = c.reference('Observation', 'subject', c.local('p1', 'Patient'));
const rare = c.token('Observation', 'code', c.code('c29', 'urn:codes'));

/** By what they ask for. */
export const SEVERAL_SHAPES = {
  all: several(c.all()),
  'the next page of all': { ...several(c.all()), window: { count: 50, after: [2, 'o100', 100_001] } },
  'the newest': several(c.all(), { by: 'updated', direction: 'descending' }),
  ids: several(c.ids('p1', 'o1')),
  'what changed of late': several(c.updated({ comparison: 'ge', low: 124_000, high: 124_000 })),
  'a token that all have': several({
    ...c.token('Patient', 'gender', c.code('c29', 'urn:codes')),
    others: [{ type: 'Observation', paths: ['code'] }],
  }),
  'other tokens of each type': several(
    c.any(
      ofTypes(['Patient'], c.text('Patient', 'name', c.prefix('name12'))),
      ofTypes(['Observation'], rare),
    ),
  ),
  'members of a compartment': several(
    c.any(ofTypes(['Patient'], c.ids('p1')), ofTypes(['Observation'], subject)),
  ),
  'members of a compartment by a date': several(
    c.any(ofTypes(['Patient'], c.ids('p1')), ofTypes(['Observation'], subject)),
    {
      by: 'index',
      index: 'date',
      paths: [],
      others: [{ type: 'Observation', paths: ['effective'] }],
      direction: 'descending',
    },
  ),
} as const satisfies Readonly<Record<string, SeveralShape>>;
