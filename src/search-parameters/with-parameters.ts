import type { LiveSearchParameters } from './live-search-parameters.js';
import { withCopies } from './with-copies.js';
import { type ResourceStores, withOfficialParameters } from './with-official-parameters.js';

/** The same stores, in which search parameters are there when they are asked for, and what they lift is kept. */
export function withParameters(
  stores: ResourceStores,
  parameters: Pick<LiveSearchParameters, 'seed' | 'uplifts'>,
): ResourceStores {
  return withCopies(
    withOfficialParameters(stores, () => parameters.seed()),
    () => parameters.uplifts,
  );
}
