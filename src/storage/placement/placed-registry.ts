import { FhirError } from '../../model/errors.js';
import type { Partition, PartitionId, Placement } from '../../model/partition.js';
import type { PartitionContents, PartitionRegistry, StoredJob } from '../store.js';
import type { HomeProvider, MainRegistry, PartitionPlace } from './home.js';
import { type HomeRouter, isNotInService } from './home-router.js';
import type { OpenHomes } from './open-homes.js';

/** The life of partitions with their homes: nothing of a home is left half made or half removed for clients to see. */
export class PlacedRegistry implements PartitionRegistry {
  private creating: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly parts: {
      readonly main: MainRegistry;
      readonly router: HomeRouter;
      readonly homes: OpenHomes;
      readonly provider: HomeProvider;
    },
  ) {}

  list(): Promise<readonly Partition[]> {
    return this.parts.main.list();
  }

  takenIds(): Promise<ReadonlySet<PartitionId>> {
    return this.parts.main.takenIds();
  }

  async create(partition: Partition, check: () => Promise<void>): Promise<void> {
    const { main, provider, router } = this.parts;
    const { placement = 'shared' } = partition;
    if (placement === 'shared') await main.create(partition, check);
    else {
      const refusal = provider.refusal(placement);
      if (refusal !== undefined) throw new FhirError('INVALID_PARTITION', refusal);
      // One after the other: a home takes a while to make, and of several with one id all but one would be in vain.
      const turn = this.creating.then(() => this.createPlaced({ ...partition, placement }, check));
      this.creating = turn.catch(() => undefined);
      await turn;
    }
    await router.places.load();
  }

  /** The home is complete before the directory knows of it, and is put in place by the same transaction. */
  private async createPlaced(
    partition: Partition & { readonly placement: Placement },
    check: () => Promise<void>,
  ): Promise<void> {
    const { main, provider, homes } = this.parts;
    const { id, placement } = partition;
    const places = await main.places();
    if (places.some((place) => place.id === id)) {
      throw new FhirError('PARTITION_EXISTS', `A partition with the id ${id} exists already.`);
    }
    const home = await provider.make(id, placement, 'active');
    try {
      await main.create(partition, async () => {
        await homes.evict({ id, placement });
        await home.publish();
        await check();
      });
    } catch (error) {
      await home.discard();
      throw error;
    }
  }

  async adopt(partition: Partition): Promise<void> {
    const { placement = 'shared' } = partition;
    if (placement === 'shared') return this.parts.main.adopt(partition);
    try {
      await this.create(partition, async () => undefined);
    } catch (error) {
      if (!(error instanceof FhirError && error.code === 'PARTITION_EXISTS')) throw error;
    }
  }

  update(partition: Partition): Promise<void> {
    return this.parts.main.update(partition);
  }

  async delete(partition: Partition, check: () => Promise<void>): Promise<void> {
    const { main, router } = this.parts;
    const place = await this.settled(partition.id);
    if (place === undefined) await main.delete(partition, check);
    else await this.deletePlaced(partition, place, check);
    await router.places.load();
  }

  async contents(partition: PartitionId): Promise<PartitionContents> {
    const shared = await this.parts.main.contents(partition);
    const own = await this.ownContents(partition);
    return {
      resources: shared.resources + own.resources,
      versions: shared.versions + own.versions,
      indexRows: shared.indexRows + own.indexRows,
    };
  }

  async startPurge(partition: Partition, job: StoredJob): Promise<void> {
    const { main, router } = this.parts;
    const place = await this.settled(partition.id);
    await main.startPurge(partition, job);
    if (place) await router.use(partition.id, ({ rows }) => rows.setState(partition.id, 'paused'));
    await router.places.load();
  }

  /** What is in the main database goes row by row, a home of the partition's own as a whole. */
  async purgeSome(partition: PartitionId, limit: number): Promise<number> {
    const { main, router } = this.parts;
    const purged = await main.purgeSome(partition, limit);
    if (purged > 0) return purged;
    await router.places.load();
    const place = router.places.homeOf(partition);
    if (!place || !(await this.parts.provider.exists(partition, place.placement))) return 0;
    const { resources, versions, indexRows } = await this.ownContents(partition);
    await this.removeHome(place);
    return Math.max(1, resources + versions + indexRows);
  }

  saveJob(job: StoredJob): Promise<void> {
    return this.parts.main.saveJob(job);
  }

  saveRunningJob(job: StoredJob): Promise<boolean> {
    return this.parts.main.saveRunningJob(job);
  }

  jobs(): Promise<readonly StoredJob[]> {
    return this.parts.main.jobs();
  }

  /** The place of a partition that is not on its way to another. @throws FhirError PARTITION_MOVING */
  private async settled(partition: PartitionId): Promise<PartitionPlace | undefined> {
    const { main, router } = this.parts;
    const jobs = await main.jobs();
    const isOnItsWay = jobs.some(
      (job) => job.kind === 'partition-move' && job.partition === partition && job.state === 'running',
    );
    if (isOnItsWay) throw new FhirError('PARTITION_MOVING', 'The partition is being moved to another place.');
    await router.places.load();
    return router.places.homeOf(partition);
  }

  /** Writers are kept out while it is looked whether there is anything. */
  private async deletePlaced(
    partition: Partition,
    place: PartitionPlace,
    check: () => Promise<void>,
  ): Promise<void> {
    const { main, router, provider } = this.parts;
    const { id } = partition;
    if (!(await provider.exists(id, place.placement))) return main.delete(partition, check);
    await router.use(id, ({ rows }) => rows.setState(id, 'paused'));
    try {
      const contents = await this.ownContents(id);
      await main.delete(partition, async () => {
        assertEmpty(partition, contents);
        await this.assertStillPaused(id);
        await check();
      });
    } catch (error) {
      await router.use(id, ({ rows }) => rows.setState(id, 'active'));
      throw error;
    }
    await this.removeHome(place);
  }

  /** Who was slow to delete may have been taken for dead, and writers be let in again. */
  private async assertStillPaused(partition: PartitionId): Promise<void> {
    const state = await this.parts.router.use(partition, ({ rows }) => rows.state(partition));
    if (state !== 'active') return;
    throw new FhirError('BUSY', 'The partition is in use again.', { headers: { 'Retry-After': '1' } });
  }

  private async ownContents(partition: PartitionId): Promise<PartitionContents> {
    const { router, provider } = this.parts;
    const place = router.places.homeOf(partition);
    if (!place || !(await provider.exists(partition, place.placement))) return NOTHING;
    try {
      return await router.use(partition, ({ rows }) => rows.contents(partition));
    } catch (error) {
      // It went while its rows were counted.
      if (isNotInService(error)) return NOTHING;
      throw error;
    }
  }

  private async removeHome({ id, placement }: PartitionPlace): Promise<void> {
    await this.parts.homes.evict({ id, placement });
    await this.parts.provider.remove(id, placement);
  }
}

const NOTHING: PartitionContents = { resources: 0, versions: 0, indexRows: 0 };

/** @throws FhirError PARTITION_NOT_EMPTY */
export function assertEmpty(partition: Partition, contents: PartitionContents): void {
  const { resources, versions, indexRows } = contents;
  if (resources + versions + indexRows === 0) return;
  const held = `${resources} resources, ${versions} superseded versions and ${indexRows} index rows`;
  throw new FhirError('PARTITION_NOT_EMPTY', `Partition '${partition.name}' still holds ${held}.`);
}
