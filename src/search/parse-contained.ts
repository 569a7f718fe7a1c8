import type { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';
import { invalidParameter } from './parse-context.js';
import type { ResultParts } from './parse-result.js';
import type { ContainedSearch, Criterion, SearchRequest } from './search-request.js';

const NAME = '_contained';

/**
 * Whether contained resources are searched, and how they come: https://hl7.org/fhir/R4/search.html#contained.
 * @throws FhirError INVALID_SEARCH for what means nothing of them
 */
export function toContainedSearch(
  { contained, containedType: as = 'container', sort, includes }: ResultParts,
  { criteria, applied }: Pick<SearchRequest, 'criteria' | 'applied'>,
): ContainedSearch | undefined {
  if (contained === undefined || contained === 'false') return undefined;
  for (const criterion of criteria) assertServed(criterion);
  if (sort.length > 0) throw refused('nothing is sorted; leave out _sort.');
  if (as === 'contained' && includes.length > 0)
    throw refused('includes start at containers; leave out _containedType=contained.');
  if (applied.some(([name, value]) => name.startsWith('_include') && value === '*'))
    throw refused('containers are of many types; name one, as _include=Observation:*.');
  return { mode: contained, as };
}

/** Whether the parameters ask for contained resources; they do so for every one of them. */
export function asksForContained(parameters: readonly QueryParameter[]): boolean {
  return parameters.some(([name, value]) => name === NAME && value !== 'false');
}

/** What contained resources are searched in: a type. @throws FhirError INVALID_SEARCH */
export function assertNotContained({ contained }: { readonly contained: unknown }, where: string): void {
  if (contained !== undefined) throw invalidParameter(NAME, `contained resources are not searched ${where}.`);
}

/** A contained resource is no resource of its own: it has no time of its update, and nothing else refers to it. */
function assertServed(criterion: Criterion): void {
  switch (criterion.kind) {
    case 'values':
    case 'missing': {
      const { code } = criterion.parameter;
      if (code === '_lastUpdated') throw refused(`${code} is no parameter.`);
      if (criterion.kind === 'values' && criterion.values.some(({ kind }) => kind === 'hierarchy'))
        throw refused(`${code} takes no :above and :below.`);
      if (criterion.kind === 'values' && criterion.values.some(({ kind }) => kind === 'text'))
        throw refused(`${code} is no parameter.`);
      return;
    }
    case 'has':
      throw refused('_has and _list are no parameters.');
    case 'chain':
    case 'within':
    case 'member':
      return;
    case 'all':
    case 'any':
      for (const part of criterion.of) assertServed(part);
      return;
    case 'not':
      assertServed(criterion.of);
      return;
  }
}

function refused(message: string): FhirError {
  return invalidParameter(NAME, `where contained resources are searched, ${message}`);
}
