import type { HookRegistry } from '../hooks/registry.js';
import { FhirError } from '../model/errors.js';
import {
  DEFAULT_PARTITION_ID,
  type Partition,
  type PartitionId,
  type Placement,
} from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { PartitionRegistry, StoredJob } from '../storage/store.js';
import type { PartitionDirectory } from './directory.js';
import { assertPartitionId, assertPartitionName } from './partition-name.js';
import type { PartitionMoves } from './moves.js';
import { type PartitionPurge, PURGE_JOB } from './purge.js';
import type { PartitionRetention, Retained } from './retention.js';

/** A partition to be; without an id the next free positive one is taken. */
export interface NewPartition {
  readonly id?: number;
  readonly name: string;
  readonly description?: string;
  /** The server's default if left out. */
  readonly placement?: Placement;
}

/** Creates, changes and deletes partitions; hooks fire inside the transaction and may undo it by a throw. */
export class PartitionManagement {
  constructor(
    private readonly parts: {
      readonly hooks: HookRegistry;
      readonly directory: PartitionDirectory;
      readonly registry: PartitionRegistry;
      readonly purge: PartitionPurge;
      readonly moves: PartitionMoves;
      readonly retention: PartitionRetention;
      readonly newId: () => string;
      /** Ends the bulk exports of a partition that is no more, and removes their files. */
      readonly removeExports: (partition: PartitionId) => Promise<void>;
      /** Called before a new partition is known to requests. */
      readonly onCreated: (partition: PartitionId) => void;
      /** Of partitions that are created without one. */
      readonly placement: Placement;
    },
  ) {}

  /** @throws FhirError INVALID_PARTITION, PARTITION_EXISTS, or what a hook throws. */
  async create(wanted: NewPartition, request?: RequestDetails): Promise<Partition> {
    assertPartitionName(wanted.name);
    if (wanted.id !== undefined) {
      assertPartitionId(wanted.id);
      return this.register(wanted, wanted.id, request);
    }
    for (let id = await this.nextFreeId(); ;) {
      try {
        return await this.register(wanted, id, request);
      } catch (error) {
        if (!(error instanceof FhirError && error.code === 'PARTITION_EXISTS')) throw error;
        const next = await this.nextFreeId();
        // Where the id is still free, it is the name that is taken.
        if (next === id) throw error;
        id = next;
      }
    }
  }

  private async register(
    { name, description, placement = this.parts.placement }: NewPartition,
    id: number,
    request: RequestDetails | undefined,
  ): Promise<Partition> {
    const { hooks, directory, registry } = this.parts;
    const described = description === undefined ? {} : { description };
    const placed = placement === 'shared' ? {} : { placement };
    const partition: Partition = { id: id as PartitionId, name, ...described, ...placed };
    await registry.create(partition, async () => {
      await hooks.observe('STORAGE_PARTITION_CREATED', { request, partition });
    });
    this.parts.onCreated(partition.id);
    await directory.load();
    return partition;
  }

  /** @throws FhirError UNKNOWN_PARTITION */
  read(key: { readonly id?: number; readonly name?: string }): Partition {
    const { directory } = this.parts;
    const found = key.id === undefined ? directory.byName(key.name ?? '') : directory.byId(key.id);
    if (found) return found;
    const what = key.id === undefined ? `named '${key.name?.slice(0, 200)}'` : `with id ${key.id}`;
    throw new FhirError('UNKNOWN_PARTITION', `There is no partition ${what}.`);
  }

  list(): readonly Partition[] {
    return this.parts.directory.list();
  }

  /** Replaces name and description; a description that is left out is cleared. */
  async update(wanted: Omit<NewPartition, 'placement'> & { readonly id: number }): Promise<Partition> {
    const current = this.changeable(wanted.id);
    assertPartitionName(wanted.name);
    const { name, description } = wanted;
    const partition: Partition = {
      id: current.id,
      name,
      ...(description === undefined ? {} : { description }),
      ...(current.placement === undefined ? {} : { placement: current.placement }),
    };
    await this.parts.registry.update(partition);
    await this.parts.directory.load();
    return partition;
  }

  /** @throws FhirError PARTITION_NOT_EMPTY */
  async delete(id: number, request?: RequestDetails): Promise<Partition> {
    const partition = this.changeable(id);
    await this.parts.registry.delete(partition, async () => {
      await this.parts.hooks.observe('STORAGE_PARTITION_DELETED', { request, partition });
    });
    await this.parts.removeExports(partition.id);
    await this.parts.directory.load();
    return partition;
  }

  /** Takes the partition out of service at once and deletes everything it holds in the background. */
  async startPurge(id: number): Promise<StoredJob> {
    const partition = this.changeable(id);
    const job: StoredJob = {
      id: this.parts.newId(),
      kind: PURGE_JOB,
      partition: partition.id,
      state: 'running',
      parameters: { name: partition.name },
      result: null,
    };
    await this.parts.registry.startPurge(partition, job);
    await this.parts.directory.load();
    this.parts.purge.wake();
    return job;
  }

  /** Moves the partition to another place in the background. @throws FhirError INVALID_PARTITION, PARTITION_MOVING */
  startMove(id: number, to: Placement): Promise<StoredJob> {
    return this.parts.moves.start(this.changeable(id).id, to);
  }

  /** Goes on with moves whose worker was killed; returns at once. */
  resumeMoves(): void {
    this.parts.moves.wake();
  }

  /**
   * Deletes every resource of the partition whose partition date is before `date` (YYYY-MM-DD), with all its versions.
   * @throws FhirError INVALID_PARTITION for a date that is none or is in the future, PARTITION_MOVING
   */
  retain(id: number, date: string): Promise<Retained> {
    return this.parts.retention.run(this.read({ id }).id, date);
  }

  /** Registers an unnamed partition under its number, so that all-partition reads and purges know it. */
  async adopt(id: PartitionId): Promise<void> {
    const { directory, registry } = this.parts;
    if (directory.byId(id)) return;
    assertPartitionId(id);
    const { placement } = this.parts;
    await registry.adopt({ id, name: String(id), ...(placement === 'shared' ? {} : { placement }) });
    await directory.load();
  }

  private changeable(id: number): Partition {
    if (id === DEFAULT_PARTITION_ID) {
      throw new FhirError('INVALID_PARTITION', 'The DEFAULT partition cannot be renamed, moved or deleted.');
    }
    assertPartitionId(id);
    return this.read({ id });
  }

  /** Partitions that are being purged keep their ids until they are gone. */
  private async nextFreeId(): Promise<number> {
    const taken = await this.parts.registry.takenIds();
    let id = 1;
    while (taken.has(id as PartitionId)) id++;
    return id;
  }
}
