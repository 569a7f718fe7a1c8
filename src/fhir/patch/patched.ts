import { FhirError } from '../../model/errors.js';
import type { Resource } from '../../model/resource.js';
import { DEFAULT_JSON_LIMITS } from '../json.js';
import { copyNumberTexts, withMember } from '../json/number-texts.js';

/** A member name or an array index. */
export type Step = string | number;

/** What a patch may build, in values: a few operations that copy can double a resource again and again. */
export const MAX_COPIED_VALUES = 100_000;

/**
 * The outcome of a patch, in the shape that resources have: without empty lists and objects, and marked as having
 * the number texts of the patch. Throws INVALID_RESOURCE if it is another resource than before, and LIMIT_EXCEEDED if
 * it is nested too deep to be read again.
 */
export function finishPatch(before: Resource, after: unknown, patch: object): Resource {
  assertSameResource(before, after);
  assertDepth(after, DEFAULT_JSON_LIMITS.maxDepth);
  const pruned = prune(after);
  return copyNumberTexts(patch, pruned as Resource);
}

function assertSameResource(before: Resource, after: unknown): asserts after is Resource {
  if (!isObject(after) || after.resourceType !== before.resourceType) {
    throw new FhirError('INVALID_RESOURCE', 'A patch cannot change the resource type.', {
      expression: [before.resourceType],
    });
  }
  if (after.id !== before.id) {
    throw new FhirError('INVALID_RESOURCE', 'A patch cannot change the id.', {
      expression: [`${before.resourceType}.id`],
    });
  }
}

function assertDepth(value: unknown, left: number): void {
  if (!isObject(value)) return;
  if (left === 0) throw new FhirError('LIMIT_EXCEEDED', 'The patched resource would be nested too deep.');
  for (const key of Object.keys(value)) assertDepth(value[key], left - 1);
}

/** Undefined where nothing is left. */
function prune(value: unknown): unknown {
  if (Array.isArray(value)) return pruneList(value, prune);
  if (!isObject(value)) return value;
  let copy: Record<string, unknown> = value;
  for (const [key, member] of Object.entries(value)) {
    const pruned = key.startsWith('_') && Array.isArray(member) ? pruneTwins(member) : prune(member);
    if (pruned === member) continue;
    if (copy === value) copy = { ...value };
    if (pruned === undefined) delete copy[key];
    else copy[key] = pruned;
  }
  return Object.keys(copy).length === 0 ? undefined : copy;
}

function pruneList(list: readonly unknown[], pruneItem: (item: unknown) => unknown): unknown {
  const pruned = list.map(pruneItem).filter((item) => item !== undefined);
  if (pruned.length === 0) return undefined;
  return pruned.length === list.length && pruned.every((item, index) => item === list[index]) ? list : pruned;
}

/** Items of `_given` stand beside those of `given`: null keeps their place. */
function pruneTwins(list: readonly unknown[]): unknown {
  const pruned = pruneList(list, (item) => prune(item) ?? null) as readonly unknown[] | undefined;
  return pruned?.some((item) => item !== null) ? pruned : undefined;
}

/** A copy of the tree in which `change` has been applied to the object or array that the steps lead to. */
export function changeAt(
  root: unknown,
  steps: readonly Step[],
  change: (holder: unknown) => unknown,
  depth = 0,
): unknown {
  const step = steps[depth];
  if (step === undefined) return change(root);
  const changed = changeAt(memberAt(root, step), steps, change, depth + 1);
  if (Array.isArray(root)) return root.with(Number(step), changed);
  return withMember(isObject(root) ? root : {}, String(step), changed);
}

/** The member or item; undefined if there is none. Nothing that is inherited is found. */
export function memberAt(holder: unknown, step: Step): unknown {
  return isObject(holder) && Object.hasOwn(holder, step) ? holder[step] : undefined;
}

/** Whether the value is an object or an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
