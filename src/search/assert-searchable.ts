import { insufficientScope } from '../model/access.js';
import type { PartitionScope } from '../model/partition.js';
import type { Criterion, SearchRequest } from './search-request.js';

/** What is granted of types that a search leads to: of all of them, or of some. */
interface Searched {
  readonly isGranted: (type: string) => boolean;
  readonly of: 'some' | 'every';
}

/**
 * What a search leads to has to be searchable by itself, as far as the reader's access says so: a chain by at least one
 * of its types, of which the others are left out.
 * @throws FhirError FORBIDDEN
 */
export function assertSearchable(search: SearchRequest, { access: scoped }: PartitionScope): void {
  if (scoped === undefined) return;
  const isGranted = (type: string): boolean => scoped.access.grantOf('search', type).kind !== 'none';
  assertCriteria(search, { isGranted, of: 'some' });
}

/**
 * The same for a search that is run later, when nobody is told apart: everything that it leads to has to be granted
 * without limits.
 * @throws FhirError FORBIDDEN
 */
export function assertOpen(search: SearchRequest, { access: scoped }: PartitionScope): void {
  if (scoped === undefined) return;
  const isGranted = (type: string): boolean => scoped.access.grantOf('search', type).kind === 'all';
  assertCriteria(search, { isGranted, of: 'every' });
}

function assertCriteria(search: SearchRequest, searched: Searched): void {
  for (const { criteria } of [search, ...search.others])
    for (const criterion of criteria) assertCriterion(criterion, searched);
}

function assertCriterion(criterion: Criterion, searched: Searched): void {
  switch (criterion.kind) {
    case 'values':
    case 'missing':
    case 'member':
      return;
    case 'chain':
    case 'within': {
      const targets = criterion.targets.filter(({ type }) => searched.isGranted(type));
      const enough =
        searched.of === 'some' ? Math.min(1, criterion.targets.length) : criterion.targets.length;
      if (targets.length < enough) throw refused(criterion.targets.map(({ type }) => type));
      for (const target of targets) assertCriterion(target.criterion, searched);
      return;
    }
    case 'has':
      if (!searched.isGranted(criterion.type)) throw refused([criterion.type]);
      return assertCriterion(criterion.criterion, searched);
    case 'all':
    case 'any':
      for (const part of criterion.of) assertCriterion(part, searched);
      return;
    case 'not':
      return assertCriterion(criterion.of, searched);
  }
}

function refused(types: readonly string[]): Error {
  return insufficientScope(`No scope of the token allows searches by ${types.join(', ')}.`);
}
