import { FhirError } from '../../model/errors.js';
import type { PartitionId, PartitionScope } from '../../model/partition.js';
import {
  type HistoryQuery,
  type ResourceStore,
  type StoredVersion,
  WriteConflictError,
  type WriteUnit,
} from '../store.js';
import { partitionOfChange } from '../partition-usage.js';
import type { IdClaim, MainRegistry } from './home.js';
import type { HomeRouter } from './home-router.js';
import { mergeSorted, newestFirst } from './merge.js';

/** Resources of all homes. */
export class PlacedResources implements ResourceStore {
  private readonly main: ResourceStore;

  constructor(
    private readonly router: HomeRouter,
    private readonly registry: MainRegistry,
    private readonly resourceIds: 'partition' | 'server',
  ) {
    this.main = router.main.resources;
  }

  read(scope: PartitionScope, type: string, id: string): Promise<readonly StoredVersion[]> {
    if (this.router.places.isShared(scope)) return this.main.read(scope, type, id);
    const holders = this.router.each(scope, ({ resources }, part) => resources.read(part, type, id));
    return holders.then((lists) => lists.flat());
  }

  async readVersion(
    scope: PartitionScope,
    type: string,
    id: string,
    version: number,
  ): Promise<readonly StoredVersion[]> {
    if (this.router.places.isShared(scope)) return this.main.readVersion(scope, type, id, version);
    return (
      await this.router.each(scope, ({ resources }, part) => resources.readVersion(part, type, id, version))
    ).flat();
  }

  async history(scope: PartitionScope, query: HistoryQuery): Promise<readonly StoredVersion[]> {
    if (this.router.places.isShared(scope)) return this.main.history(scope, query);
    const lists = await this.router.each(scope, ({ resources }, part) => resources.history(part, query));
    return lists.length === 1 ? lists[0]! : mergeSorted(lists, newestFirst, query.count);
  }

  async countHistory(scope: PartitionScope, query: HistoryQuery): Promise<number> {
    const counts = await this.router.each(scope, ({ resources }, part) =>
      resources.countHistory(part, query),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async write(unit: WriteUnit): Promise<void> {
    const partitions = new Set(unit.changes.map(partitionOfChange));
    const [first] = partitions;
    if (first === undefined) return this.main.write(unit);
    if (partitions.size > 1) await this.assertTogether([...partitions]);
    await this.router.write(first, async (home) => {
      if (this.resourceIds === 'server' && home !== this.router.main) await this.claimIds(first, unit);
      await home.resources.write(unit);
    });
  }

  private async assertTogether(partitions: readonly PartitionId[]): Promise<void> {
    if (this.router.places.isShared({ partitions })) return;
    throw new FhirError(
      'PARTITIONS_APART',
      'The partitions of one transaction are in different databases, which cannot be committed together.',
    );
  }

  /**
   * One pool of ids for the whole server can only be in one database. A claim whose write fails stays with the
   * partition, where the id can still be used.
   */
  private async claimIds(partition: PartitionId, { changes }: WriteUnit): Promise<void> {
    const creates = changes.flatMap((change) => (change.kind === 'create' ? [change] : []));
    if (creates.length === 0) return;
    const claims: readonly IdClaim[] = creates.map(({ type, id, assignment }) => ({
      type,
      id,
      date: assignment.date,
    }));
    const [taken] = await this.registry.claimIds(partition, claims);
    const change = creates.find(({ type, id }) => type === taken?.type && id === taken.id);
    if (change) throw new WriteConflictError({ kind: 'id-taken', change });
  }
}
