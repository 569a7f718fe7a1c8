import type { IndexCondition, TypedPaths } from '../search-store.js';
import { isUnequal } from './predicates/token.js';

/** Where rows of a condition are, of all types that it is about. */
export function placesOf(
  condition: TypedPaths & { readonly others?: readonly TypedPaths[] },
): readonly TypedPaths[] {
  return [condition, ...(condition.others ?? [])];
}

/** Whether few resources share a value of the condition: an identifier or a literal reference. */
export function isSelective(condition: IndexCondition): boolean {
  if (condition.tests === null) return false;
  if (condition.index === 'reference')
    return condition.tests.every(({ kind }) => kind === 'local' || kind === 'url');
  const open =
    condition.index === 'token' &&
    condition.tests.some((test) => 'values' in test || test.value === undefined || isUnequal(test));
  return condition.index === 'token' && !open && condition.paths.every((path) => path.endsWith('identifier'));
}
