import type { PartitionId, Placement } from '../../model/partition.js';
import type { HomeProvider, MainRegistry } from './home.js';

/** What became of one home in a migration of all of them. */
export interface HomeMigration {
  readonly partition: PartitionId;
  readonly name: string;
  readonly placement: Placement;
  /** Names of the migrations that were applied; none: it was up to date. */
  readonly applied: readonly string[];
  readonly error: unknown;
}

/**
 * Migrates the homes of all partitions, one after the other, and notes each in the directory. Whoever is killed
 * meanwhile begins again: what is up to date takes no time. A home that fails does not keep the others from theirs.
 */
export async function* migrateHomes(
  registry: MainRegistry,
  provider: HomeProvider,
  latest: string | null,
): AsyncIterable<HomeMigration> {
  for (const { id, name, placement, state } of await registry.places()) {
    if (placement === 'shared' || state === 'purging') continue;
    const home = { partition: id, name, placement };
    try {
      const applied = await provider.migrate(id, placement);
      await registry.place(id, { placement, state, migration: latest });
      yield { ...home, applied, error: undefined };
    } catch (error) {
      yield { ...home, applied: [], error };
    }
  }
}
