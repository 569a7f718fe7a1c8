import type { PartitionId, PartitionScope } from '../../model/partition.js';
import type { MainRegistry, PartitionPlace } from './home.js';

/**
 * Which partitions are not simply in the main database, in memory. Every server loads them again when the directory
 * has changed, and whenever a home says that a partition is not in service there.
 */
export class Places {
  private elsewhere: ReadonlyMap<PartitionId, PartitionPlace> = new Map();
  private all: ReadonlyMap<PartitionId, PartitionPlace> = new Map();

  constructor(private readonly registry: MainRegistry) {}

  async load(): Promise<void> {
    const places = await this.registry.places();
    this.all = new Map(places.map((place) => [place.id, place]));
    this.elsewhere = new Map(
      places.filter(({ placement }) => placement !== 'shared').map((place) => [place.id, place]),
    );
  }

  /** Runs `work` while nobody changes the directory, with what stands in it then. */
  exclusively(
    partition: PartitionId,
    work: (place: PartitionPlace | undefined) => Promise<void>,
  ): Promise<void> {
    return this.registry.exclusively(partition, work);
  }

  /** The partition's own home; undefined where its rows are in the main database. */
  homeOf(partition: PartitionId): PartitionPlace | undefined {
    return this.elsewhere.get(partition);
  }

  /** Every partition with a home of its own. */
  list(): readonly PartitionPlace[] {
    return [...this.elsewhere.values()];
  }

  /** As it was loaded last; undefined for DEFAULT and for what is not there. */
  placeOf(partition: PartitionId): PartitionPlace | undefined {
    return this.all.get(partition);
  }

  /** Whether all rows of the scope are in the main database. */
  isShared({ partitions }: Pick<PartitionScope, 'partitions'>): boolean {
    if (this.elsewhere.size === 0) return true;
    return !partitions.some((partition) => this.elsewhere.has(partition));
  }
}
