import { FULL_TEXT_PATH } from '../fhir/full-text.js';
import { cutText, normalizeString, wordsOf } from '../fhir/normalize.js';
import type { SearchParameter } from '../fhir/index-values.js';
import type {
  ChainCondition,
  Condition,
  IndexKind,
  ReferenceTest,
  SearchPlan,
  SortKey,
  StringTest,
  TextQuery,
  TextTest,
} from '../storage/search-store.js';
import { planComposite } from './plan-composite.js';
import { joinDates } from './plan-dates.js';
import { planDerived } from './plan-derived.js';
import { mayBeLifted, planCopied, planLifted } from './plan-lifted.js';
import { toQuantityTests } from './plan-quantity.js';
import { toTokenTests } from './plan-token.js';
import { toUriTests, toUrlTests } from './plan-uri.js';
import type { Criterion, SearchRequest, SearchValue, SortBy, ValueCriterion } from './search-request.js';

type ValueOf<Kind extends SearchValue['kind']> = Extract<SearchValue, { kind: Kind }>;
type FollowedCriterion = Extract<Criterion, { kind: 'chain' | 'within' }>;

/**
 * What the store has to find: every criterion holds. A criterion that nothing can satisfy stays one that holds
 * for nothing; it never disappears.
 */
export function planSearch(request: Pick<SearchRequest, 'resourceType' | 'criteria' | 'sort'>): SearchPlan {
  const { resourceType, criteria, sort } = request;
  const of = criteria.map((criterion) => planCriterion(resourceType, criterion));
  const keys = sort.length > 0 ? sort.map(planSort) : planRelevance(criteria);
  const order = criteria.some(mayBeLifted) ? ({ order: 'age' } as const) : {};
  return { type: resourceType, where: { kind: 'all', of: joinDates(of) }, sort: keys, ...order };
}

/** A criterion on resources of the type. */
export function planCriterion(type: string, criterion: Criterion): Condition {
  switch (criterion.kind) {
    case 'values':
      return planValues(type, criterion);
    case 'missing': {
      const any = planPresence(type, criterion.parameter);
      return criterion.missing ? { kind: 'not', of: any } : any;
    }
    case 'chain': {
      const chain = planChain(type, criterion.parameter.paths, planTargets(criterion));
      return planCopied(chain, criterion.copies, (parameter, values) => planIndex(type, parameter, values));
    }
    case 'within':
      return {
        kind: 'any',
        of: planContainedTargets(type, criterion.parameter.paths, planTargets(criterion)),
      };
    case 'member': {
      const { compartment, isOwn, paths } = criterion;
      const tests = [{ kind: 'local' as const, types: [compartment.type], id: compartment.id }];
      const refers: Condition = { kind: 'index', index: 'reference', type, paths, targetFilter: null, tests };
      return isOwn ? { kind: 'any', of: [refers, { kind: 'ids', ids: [compartment.id] }] } : refers;
    }
    case 'has': {
      if (!mayLeadTo(criterion.parameter, type)) return NEVER;
      const where = planCriterion(criterion.type, criterion.criterion);
      return { kind: 'has', type: criterion.type, paths: criterion.parameter.paths, where };
    }
    case 'all':
    case 'any':
      return { kind: criterion.kind, of: criterion.of.map((part) => planCriterion(type, part)) };
    case 'not':
      return { kind: 'not', of: planCriterion(type, criterion.of) };
  }
}

function planTargets({ parameter, targets }: FollowedCriterion): ChainCondition['targets'] {
  const reachable = targets.filter((target) => mayLeadTo(parameter, target.type));
  return reachable.map(({ type, criterion }) => ({ type, where: planCriterion(type, criterion) }));
}

/** A reference leads to a resource, or to what its own resource contains: https://hl7.org/fhir/R4/search.html#contained. */
function planChain(type: string, paths: readonly string[], targets: ChainCondition['targets']): Condition {
  const of = planContainedTargets(type, paths, targets);
  return { kind: 'any', of: [{ kind: 'chain', type, paths, targets }, ...of] };
}

function planContainedTargets(
  type: string,
  paths: readonly string[],
  targets: ChainCondition['targets'],
): readonly Condition[] {
  const via = [{ type, paths }];
  return targets.map((target) => ({ kind: 'contained', via, ...target }));
}

const NEVER: Condition = { kind: 'any', of: [] };

/** `patient` stands on the path of `subject`, but leads to patients only. */
function mayLeadTo({ targetFilter }: SearchParameter, type: string): boolean {
  return targetFilter === null || targetFilter === type;
}

function planValues(type: string, { parameter, values, negated }: ValueCriterion): Condition {
  const condition = planAlternatives(type, parameter, values);
  return negated ? { kind: 'not', of: condition } : condition;
}

function planAlternatives(
  type: string,
  parameter: SearchParameter,
  values: readonly SearchValue[],
): Condition {
  if (parameter.code === '_id') return { kind: 'ids', ids: ofKind(values, 'id').map(({ id }) => id) };
  if (parameter.code === '_lastUpdated') {
    return { kind: 'any', of: ofKind(values, 'date').map((test) => ({ kind: 'updated', test })) };
  }
  return planIndex(type, parameter, values);
}

/** Every resource has an id and a time of its last update. */
function planPresence(type: string, parameter: SearchParameter): Condition {
  const always = parameter.code === '_id' || parameter.code === '_lastUpdated';
  return always ? { kind: 'all', of: [] } : planIndex(type, parameter, null);
}

/** The parameter's rows, and those that its values need besides; without values, any of them. */
function planIndex(
  type: string,
  parameter: SearchParameter,
  values: readonly SearchValue[] | null,
): Condition {
  if (parameter.roots !== undefined)
    return planComposite(parameter.roots, values, (component, asked) => planIndex(type, component, asked));
  const rows = planLifted(parameter, values, (paths, asked) =>
    planRows(type, { ...parameter, paths }, asked),
  );
  const of = [...rows, ...planDerived(type, parameter, values)];
  const [only] = of;
  return of.length === 1 && only ? only : { kind: 'any', of };
}

function planRows(
  type: string,
  parameter: SearchParameter,
  values: readonly SearchValue[] | null,
): Condition {
  const { paths, targetFilter } = parameter;
  const rows = { kind: 'index', type, paths } as const;
  const index = toIndexKind(parameter);
  switch (index) {
    case 'token':
      return { ...rows, index, tests: values && toTokenTests(values) };
    case 'string':
      return { ...rows, index, tests: values && ofKind(values, 'string').flatMap(toStringTests) };
    case 'date':
      return { ...rows, index, ...singleOf(parameter), tests: values && ofKind(values, 'date') };
    case 'number':
      return { ...rows, index, tests: values && ofKind(values, 'number') };
    case 'quantity':
      return { ...rows, index, tests: values && values.flatMap(toQuantityTests) };
    case 'uri':
      return { ...rows, index, tests: values && toUriTests(ofKind(values, 'uri')) };
    case 'text':
      return { ...rows, index, tests: values && [toTextTest(parameter, values)] };
    case 'reference':
      return { ...rows, index, targetFilter, tests: values && toReferenceTests(values, targetFilter) };
  }
}

function singleOf({ single }: SearchParameter): Pick<SearchParameter, 'single'> {
  return single ? { single } : {};
}

/** `near` is answered by places, which are quantity rows. @throws Error for what the parser lets nobody search by */
function toIndexKind({ code, type, paths }: SearchParameter): IndexKind {
  if (paths[0] === FULL_TEXT_PATH) return 'text';
  if (type === 'special') return 'quantity';
  if (type === 'composite') throw new Error(`Search parameter ${code} has no index.`);
  return type;
}

function ofKind<Kind extends SearchValue['kind']>(
  values: readonly SearchValue[],
  kind: Kind,
): ValueOf<Kind>[] {
  return values.filter((value): value is ValueOf<Kind> => value.kind === kind);
}

/** Text that is nothing once it is normalized can't be found, rather than being found everywhere. */
function toStringTests({ match, text }: ValueOf<'string'>): StringTest[] {
  if (match === 'words') {
    const words = wordsOf(text);
    return words.length === 0 ? [] : [{ match, words }];
  }
  const normalized = normalizeString(text);
  if (normalized === '') return [];
  return [match === 'exact' ? { match, normalized, exact: cutText(text) } : { match, normalized }];
}

/** Several values are alternatives, in one question. */
function toTextTest({ code }: SearchParameter, values: readonly SearchValue[]): TextTest {
  const of = ofKind(values, 'text').map(({ query }) => query);
  const [only] = of;
  const query: TextQuery = of.length === 1 && only ? only : { kind: 'any', of };
  return { part: code === '_text' ? 'narrative' : 'all', query };
}

/** What is asked of words comes with what fits best first, unless another order is asked for. */
function planRelevance(criteria: readonly Criterion[]): readonly SortKey[] {
  const asked = criteria.find((one) => one.kind === 'values' && one.parameter.paths[0] === FULL_TEXT_PATH);
  if (asked?.kind !== 'values') return [];
  const { parameter, values } = asked;
  const test = toTextTest(parameter, values);
  return [{ by: 'relevance', test, paths: parameter.paths, direction: 'descending' }];
}

/** A URL that isn't this server's counts for `patient` only if it names a Patient. */
function toReferenceTests(values: readonly SearchValue[], targetFilter: string | null): ReferenceTest[] {
  if (ofKind(values, 'hierarchy').length > 0)
    throw new Error('A hierarchy is looked up before it is planned.');
  const local = ofKind(values, 'local')
    .filter(({ version }) => version === undefined)
    .map(({ types, id }): ReferenceTest => ({ kind: 'local', types, id }));
  const urls = ofKind(values, 'url')
    .filter(({ url }) => targetFilter === null || url.includes(`/${targetFilter}/`))
    .flatMap(toUrlTests);
  const rows = ofKind(values, 'rows').map(({ rowIds }): ReferenceTest => ({ kind: 'rows', rowIds }));
  const lists = ofKind(values, 'urls').map(({ urls: list }): ReferenceTest => ({ kind: 'urls', urls: list }));
  return [...local, ...urls, ...rows, ...lists];
}

function planSort({ parameter, direction }: SortBy): SortKey {
  if (parameter.code === '_id') return { by: 'id', direction };
  if (parameter.code === '_lastUpdated') return { by: 'updated', direction };
  const { paths, targetFilter } = parameter;
  const filter = targetFilter === null ? {} : { targetFilter };
  const index = toIndexKind(parameter);
  if (index === 'text') throw new Error('Nothing is sorted by words.');
  return { by: 'index', index, paths, ...filter, direction };
}
