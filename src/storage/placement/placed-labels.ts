import type { PartitionScope } from '../../model/partition.js';
import type { Coding, Meta } from '../../model/resource.js';
import type { LabelStore } from '../store.js';
import type { HomeRouter } from './home-router.js';

/** Most labels of each kind that are listed. */
const MOST_LABELS = 1_000;

/** Labels in use in all homes. */
export class PlacedLabels implements LabelStore {
  constructor(private readonly router: HomeRouter) {}

  async inUse(scope: PartitionScope, types: readonly string[] | undefined): Promise<Meta> {
    const { router } = this;
    if (router.isTogether(scope))
      return router.useTogether(scope, ({ labels }) => labels.inUse(scope, types));
    const metas = await router.each(scope, ({ labels }, part) => labels.inUse(part, types));
    const profile = [...new Set(metas.flatMap((meta) => meta.profile ?? []))]
      .toSorted()
      .slice(0, MOST_LABELS);
    const security = distinct(metas.flatMap((meta) => meta.security ?? []));
    const tag = distinct(metas.flatMap((meta) => meta.tag ?? []));
    return {
      ...(profile.length === 0 ? {} : { profile }),
      ...(security.length === 0 ? {} : { security }),
      ...(tag.length === 0 ? {} : { tag }),
    };
  }
}

function distinct(codings: readonly Coding[]): readonly Coding[] {
  const byKey = new Map(
    codings.map((coding) => [`${coding.system ?? ''}\u0001${coding.code ?? ''}`, coding]),
  );
  const sorted = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, coding]) => coding).slice(0, MOST_LABELS);
}
