import {
  DEFAULT_PARTITION_ID,
  DEFAULT_PARTITION_NAME,
  type Partition,
  type PartitionId,
} from '../model/partition.js';
import type { PartitionRegistry } from '../storage/store.js';

const DEFAULT_PARTITION: Partition = { id: DEFAULT_PARTITION_ID, name: DEFAULT_PARTITION_NAME };

/**
 * The partitions in service by name and by id, in memory. `load` takes over what the database holds; every
 * server does so once a second when something has changed, so that other processes' partitions are seen.
 */
export class PartitionDirectory {
  private byNames: ReadonlyMap<string, Partition> = new Map();
  private byIds: ReadonlyMap<PartitionId, Partition> = new Map();
  private reads = 0;
  private used = 0;

  constructor(private readonly registry: PartitionRegistry) {}

  async load(): Promise<void> {
    (await this.read()).use();
  }

  /** What the database holds; nobody sees it before `use`, or at all where something newer is in use by then. */
  async read(): Promise<{ readonly use: () => void }> {
    const turn = ++this.reads;
    const partitions = [DEFAULT_PARTITION, ...(await this.registry.list())];
    return {
      use: () => {
        if (turn < this.used) return;
        this.used = turn;
        this.byNames = new Map(partitions.map((partition) => [partition.name, partition]));
        this.byIds = new Map(partitions.map((partition) => [partition.id, partition]));
      },
    };
  }

  byName(name: string): Partition | undefined {
    return this.byNames.get(name);
  }

  byId(id: number): Partition | undefined {
    return this.byIds.get(id as PartitionId);
  }

  /** All partitions, DEFAULT first. */
  list(): readonly Partition[] {
    return [...this.byIds.values()];
  }
}
