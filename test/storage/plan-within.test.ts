import test from 'ava';
import { type Limits, planWithin, typesIn } from '../../src/storage/plan-within.js';
import type { Condition, SearchPlan } from '../../src/storage/search-store.js';

const planOf = (type: SearchPlan['type'], where: Condition): SearchPlan => ({ type, where, sort: [] });
const limitsOf = (limits: Readonly<Record<string, Condition | null>>): Limits =>
  new Map(Object.entries(limits));

const ALWAYS: Condition = { kind: 'all', of: [] };
const NEVER: Condition = { kind: 'any', of: [] };
const ids = (...list: string[]): Condition => ({ kind: 'ids', ids: list });
const types = (...list: string[]): Condition => ({ kind: 'types', types: list });
const all = (...of: Condition[]): Condition => ({ kind: 'all', of });
const any = (...of: Condition[]): Condition => ({ kind: 'any', of });
const not = (of: Condition): Condition => ({ kind: 'not', of });
const chain = (...targets: (readonly [string, Condition])[]): Condition => ({
  kind: 'chain',
  type: 'Observation',
  paths: ['subject'],
  targets: targets.map(([type, where]) => ({ type, where })),
});
const has = (type: string | readonly string[], where: Condition): Condition => ({
  kind: 'has',
  type,
  paths: null,
  where,
});
const contained = (where: Condition, within?: readonly string[]) => ({
  kind: 'contained' as const,
  type: 'Patient',
  via: null,
  ...(within && { within }),
  where,
});

const MINE = ids('mine');
const PATIENT_ONLY = limitsOf({ Observation: null, Patient: MINE });

test('a plan looks at its own types and at those behind chains, _has and what is contained', (t) => {
  const where = all(
    ids('a'),
    types('Patient'),
    { kind: 'updated', test: { comparison: 'gt', low: 0, high: 0 } },
    not(chain(['Patient', any(has(['Encounter', 'List'], has('Group', ALWAYS)))])),
    contained(chain(['Device', ALWAYS]), ['Condition']),
    contained(ALWAYS),
  );
  const plan = { ...planOf('Observation', where), contained: contained(chain(['Location', ALWAYS])) };
  t.deepEqual([...typesIn(plan)].toSorted(), [
    'Condition',
    'Device',
    'Encounter',
    'Group',
    'List',
    'Location',
    'Observation',
    'Patient',
  ]);
  t.deepEqual([...typesIn(planOf(['List', 'Group'], ALWAYS))], ['List', 'Group']);
});

test('a plan all of whose types are open is left as it is', (t) => {
  const plan = planOf('Observation', chain(['Patient', ALWAYS]));
  t.is(planWithin(plan, limitsOf({ Observation: null, Patient: null })), plan);
});

test('a search of a limited type finds what is within the limit', (t) => {
  t.deepEqual(planWithin(planOf('Patient', ids('a')), PATIENT_ONLY), planOf('Patient', all(MINE, ids('a'))));
});

test('a search of a type that is not opened finds nothing', (t) => {
  for (const asked of ['Device', ['Device', 'List']])
    t.deepEqual(planWithin(planOf(asked, ALWAYS), PATIENT_ONLY), planOf([], NEVER));
});

test('a search over several types finds what is opened of each', (t) => {
  const where = ids('a');
  const narrowed = (asked: readonly string[], limits: Limits): SearchPlan =>
    planWithin(planOf(asked, where), limits);
  t.deepEqual(
    narrowed(['Observation', 'Patient', 'Device'], PATIENT_ONLY),
    planOf(['Observation', 'Patient'], all(any(types('Observation'), all(types('Patient'), MINE)), where)),
  );
  t.deepEqual(
    narrowed(['Observation', 'Device'], PATIENT_ONLY),
    planOf(['Observation'], all(types('Observation'), where)),
  );
  t.deepEqual(
    narrowed(
      ['Patient', 'Encounter', 'List'],
      limitsOf({ Patient: MINE, Encounter: MINE, List: ids('other') }),
    ),
    planOf(
      ['Patient', 'Encounter', 'List'],
      all(any(all(types('Patient', 'Encounter'), MINE), all(types('List'), ids('other'))), where),
    ),
  );
});

test('types that are all open stand without a condition, also beside a chain to one that is limited', (t) => {
  const plan = planOf(['Observation', 'List'], chain(['Patient', ids('a')]));
  t.deepEqual(
    planWithin(plan, limitsOf({ Observation: null, List: null, Patient: MINE })),
    planOf(['Observation', 'List'], chain(['Patient', all(MINE, ids('a'))])),
  );
});

const conditionWithin = (condition: Condition): Condition =>
  planWithin(planOf('Observation', condition), PATIENT_ONLY).where;

test('a chain leads to what is opened alone', (t) => {
  t.deepEqual(conditionWithin(chain(['Patient', ids('a')])), chain(['Patient', all(MINE, ids('a'))]));
  t.deepEqual(
    conditionWithin(chain(['Device', ids('a')], ['Patient', ids('b')])),
    chain(['Patient', all(MINE, ids('b'))]),
  );
  t.deepEqual(conditionWithin(chain(['Device', ids('a')])), NEVER);
  t.deepEqual(
    conditionWithin(chain(['Observation', chain(['Device', ALWAYS])])),
    chain(['Observation', NEVER]),
  );
});

test('what refers back is what is opened alone', (t) => {
  const limits = limitsOf({ Patient: null, Observation: MINE, List: null });
  const within = (condition: Condition): Condition => planWithin(planOf('Patient', condition), limits).where;
  t.deepEqual(within(has('Observation', ids('a'))), has('Observation', all(MINE, ids('a'))));
  t.deepEqual(within(has('Device', ids('a'))), NEVER);
  t.deepEqual(within(has(['Device', 'List'], ids('a'))), has(['List'], all(types('List'), ids('a'))));
  t.deepEqual(
    within(has('List', has('Observation', ALWAYS))),
    has('List', has('Observation', all(MINE, ALWAYS))),
  );
});

test('every part of a condition is limited, wherever it stands', (t) => {
  const leaf = chain(['Patient', ALWAYS]);
  const limited = chain(['Patient', all(MINE, ALWAYS)]);
  const around = (part: Condition): Condition =>
    all(ids('a'), any(not(part), types('List')), contained(part, ['List']));
  const limits = limitsOf({ Observation: null, List: null, Patient: MINE });
  t.deepEqual(planWithin(planOf('Observation', around(leaf)), limits).where, around(limited));
});

test('contained resources are answered out of types that have no limits', (t) => {
  const limits = limitsOf({ Observation: null, List: null, Patient: MINE });
  const answered = (asked: SearchPlan['type'], within?: readonly string[]): unknown =>
    planWithin({ ...planOf(asked, ALWAYS), contained: contained(chain(['Patient', ALWAYS]), within) }, limits)
      .contained;
  const limited = chain(['Patient', all(MINE, ALWAYS)]);
  t.deepEqual(answered('Observation'), contained(limited, ['Observation']));
  t.deepEqual(answered(['Observation', 'Patient', 'Device']), contained(limited, ['Observation']));
  t.deepEqual(answered('Observation', ['List', 'Patient', 'Device']), contained(limited, ['List']));
  t.false('contained' in planWithin(planOf('Patient', ALWAYS), limits));
});
