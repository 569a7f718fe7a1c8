import type { Condition, IndexCondition, SearchPlan, TypedPaths } from '../storage/search-store.js';
import type { RecordRequest } from './search-request.js';

/** The members of a record, and what they refer to besides, as one plan. */
export function planRecord(record: RecordRequest): SearchPlan {
  const { members, besides, types, since } = record;
  const own = members.map(({ type }) => type);
  const asked = (known: readonly string[]): readonly string[] =>
    types === undefined ? known : known.filter((type) => types.includes(type));
  const belongs = planMembers(record);
  const found: Condition = types === undefined ? belongs : all(ofTypes(asked(own)), belongs);
  const referred: Condition = { kind: 'has', type: own, paths: null, where: belongs };
  const either: Condition = { kind: 'any', of: [found, all(ofTypes(asked(besides)), referred)] };
  const written: Condition[] =
    since === undefined ? [] : [{ kind: 'updated', test: { comparison: 'ge', low: since, high: since } }];
  return { type: [...asked(own), ...asked(besides)], where: all(either, ...written), sort: [] };
}

/** Members, as far as they are of the dates that are asked for; what tells no date is of every one. */
function planMembers({ of, id, members, care }: RecordRequest): Condition {
  const refers = rowsOf(members.map(({ type, paths }) => ({ type, paths })));
  const reference: Condition = {
    ...refers,
    index: 'reference',
    targetFilter: id === null ? of : null,
    tests: id === null ? null : [{ kind: 'local', types: [of], id }],
  };
  const itself = id === null ? ofTypes([of]) : all(ofTypes([of]), { kind: 'ids', ids: [id] });
  const belongs: Condition = { kind: 'any', of: [reference, itself] };
  return care === undefined ? belongs : all(belongs, planDates(members, care));
}

function planDates(
  members: RecordRequest['members'],
  care: { readonly low: number; readonly high: number },
): Condition {
  const rows = rowsOf(members.map(({ type, dates }) => ({ type, paths: dates })));
  // A row that overlaps: what `ap` asks of a range that nobody has widened.
  const within: Condition = { ...rows, index: 'date', tests: [{ comparison: 'ap', ...care }] };
  const dated: Condition = { ...rows, index: 'date', tests: null };
  return { kind: 'any', of: [within, { kind: 'not', of: dated }] };
}

function rowsOf([first = { type: '', paths: [] }, ...others]: readonly TypedPaths[]): Pick<
  IndexCondition,
  'kind' | 'type' | 'paths' | 'others'
> {
  return { kind: 'index', ...first, others };
}

function all(...of: readonly Condition[]): Condition {
  return { kind: 'all', of };
}

function ofTypes(types: readonly string[]): Condition {
  return { kind: 'types', types };
}
