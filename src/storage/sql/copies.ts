import type { PartitionId } from '../../model/partition.js';
import type { CopyPath } from '../placement/home.js';
import type { Change, CopyRule } from '../store.js';
import type { Dictionary } from './dictionary.js';
import type { LinkRow, ValueRow } from './index-rows.js';
import type { RowNames } from './row-names.js';

/** The path, of each type, under which its resources stand whose referrers have copies of values that they had. */
export const STALE_COPIES = 'stale copies';

/** So many resources are given copies by one transaction because what they refer to changes. */
export const MOST_REFERRERS = 500;

/** A CopyRule with ids for its names. */
export interface CopyIds {
  readonly link: number;
  readonly targetType: number;
  /** PARAM_ID of what is copied, and of the copies. */
  readonly source: number;
  readonly copy: number;
  /** PARAM_ID under which targets stand whose values were not copied. */
  readonly stale: number;
}

/** A resource that others may have copies of. */
export interface ChangedTarget {
  readonly rowId: number;
  readonly typeId: number;
  /** No other change of the resource has it. */
  readonly mark: number;
}

/** What has to be copied in one partition, after everything else of a unit. */
export interface PartitionCopies {
  readonly partition: PartitionId;
  readonly rules: readonly CopyIds[];
  /** Row ids of resources that get their copies anew. */
  readonly owners: readonly number[];
  /** Resources whose values are others now, so that those that refer to them get theirs. */
  readonly changed: readonly ChangedTarget[];
}

/** A change, as far as copies depend on it. */
interface WrittenChange {
  readonly change: Change;
  readonly rowId: number;
  readonly partition: PartitionId;
  readonly typeId: number;
  readonly inserted: readonly ValueRow[];
  readonly deleted: readonly ValueRow[];
  readonly links: readonly LinkRow[];
}

/** What changes mean for copies; nothing where no rule is about them. Adds to the names. */
export async function prepareCopies(
  names: RowNames,
  rules: readonly CopyRule[] | undefined,
  changes: readonly WrittenChange[],
): Promise<readonly PartitionCopies[]> {
  if (!rules || rules.length === 0) return [];
  const types = new Set(changes.map(typeOf));
  const own = rules.filter(({ type }) => types.has(type));
  const copied = rules.filter(({ targetType }) => types.has(targetType));
  const named = new Map(copied.map((rule) => [`${rule.targetType} ${rule.targetPath}`, rule]));
  const sources = new Set([...named.values()].map((rule) => sourceOf(names, rule)));
  const changed = new Set(changes.filter((one) => changesValues(one, sources)));
  // Types that nothing was ever written of refer to nothing, and are not to be known by this.
  const written =
    changed.size > 0 ? await names.writtenTypes([...new Set(copied.map(({ type }) => type))]) : NO_TYPES;
  const ids = toCopyIds(names, [...new Set([...own, ...copied.filter(({ type }) => written.has(type))])]);
  const links = new Set(ids.map(({ link }) => link));
  const owning = new Set(own.map(({ type }) => type));
  return [...Map.groupBy(changes, ({ partition }) => partition)].flatMap(([partition, group]) => {
    const owners = group.filter((one) => owning.has(typeOf(one)) && mayHaveCopies(one, links));
    const targets = group.filter((one) => changed.has(one));
    if (owners.length + targets.length === 0) return [];
    return {
      partition,
      rules: ids,
      owners: owners.map(({ rowId }) => rowId),
      changed: targets.map(toChangedTarget),
    };
  });
}

const NO_TYPES: ReadonlySet<string> = new Set();

function typeOf({ change }: WrittenChange): string {
  return change.kind === 'delete' ? change.current.type : change.type;
}

function sourceOf(names: RowNames, { targetType, targetPath }: CopyRule): number {
  return names.ensurePath(targetType, 'composite', targetPath);
}

/** The rules by ids. Adds to the names. */
export function toCopyIds(names: RowNames, rules: readonly CopyRule[]): readonly CopyIds[] {
  return rules.map((rule) => ({
    link: names.ensurePath(rule.type, 'reference', rule.linkPath),
    targetType: names.ensureType(rule.targetType),
    source: sourceOf(names, rule),
    copy: names.ensurePath(rule.type, 'composite', rule.copyPath),
    stale: names.ensurePath(rule.targetType, 'composite', STALE_COPIES),
  }));
}

/** The ids, once all of the names are known. */
export async function settledCopyIds(
  names: RowNames,
  rules: readonly CopyRule[],
): Promise<readonly CopyIds[]> {
  const ids = toCopyIds(names, rules);
  if (names.isComplete) return ids;
  await names.settle();
  return toCopyIds(names, rules);
}

/** PARAM_IDs under which targets of the types are stale, by type; types that nothing was ever copied of are left out. */
export function staleParams(dictionary: Dictionary, types: readonly string[]): ReadonlyMap<number, string> {
  return new Map(
    types.flatMap((type) => {
      const id = dictionary.pathId(type, 'composite', STALE_COPIES);
      return id === undefined ? [] : [[id, type] as const];
    }),
  );
}

/** PARAM_IDs of the paths of copies; those that never had any are left out. */
export function copyParams(dictionary: Dictionary, paths: readonly CopyPath[]): readonly number[] {
  return paths.flatMap(({ resourceType, path }) => dictionary.pathId(resourceType, 'composite', path) ?? []);
}

/** One of all units that are written together for each partition. */
export function togetherByPartition(copies: readonly PartitionCopies[]): readonly PartitionCopies[] {
  return [...Map.groupBy(copies, ({ partition }) => partition)].map(([partition, group]) => ({
    partition,
    rules: distinct(group.flatMap(({ rules }) => rules)),
    owners: group.flatMap(({ owners }) => owners),
    changed: group.flatMap(({ changed }) => changed),
  }));
}

function distinct(rules: readonly CopyIds[]): readonly CopyIds[] {
  return [...new Map(rules.map((rule) => [Object.values(rule).join(' '), rule])).values()];
}

/** What is new has copies if it refers to anything; what was there may have some. */
function mayHaveCopies({ change, links }: WrittenChange, copied: ReadonlySet<number>): boolean {
  return change.kind !== 'create' || links.some(({ paramId, target }) => target && copied.has(paramId));
}

/** Nobody but its own unit refers to what is new. */
function changesValues({ change, inserted, deleted }: WrittenChange, sources: ReadonlySet<number>): boolean {
  const isCopied = ({ table, columns }: ValueRow): boolean =>
    table === 'composite' && sources.has(Number(columns[0]));
  return change.kind !== 'create' && (inserted.some(isCopied) || deleted.some(isCopied));
}

function toChangedTarget({ change, rowId, typeId }: WrittenChange): ChangedTarget {
  return { rowId, typeId, mark: change.kind === 'create' ? 0 : change.current.version };
}
