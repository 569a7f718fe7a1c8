import { knownMigrations } from '../sql/migrate.js';
import type { Storage } from '../storage.js';
import { migrateHomes } from './fleet.js';
import type { MainDatabase } from './home.js';
import { HomeRouter } from './home-router.js';
import { OpenHomes } from './open-homes.js';
import { HEARD_MS, PartitionMover } from './partition-mover.js';
import { PlacedBlobs } from './placed-blobs.js';
import { PlacedLabels } from './placed-labels.js';
import { PlacedRegistry } from './placed-registry.js';
import { PlacedResources } from './placed-resources.js';
import { PlacedSearch } from './placed-search.js';
import { Places } from './places.js';

/** How homes are used. */
export interface PlacementOptions {
  readonly maxOpenHomes: number;
  readonly resourceIds: 'partition' | 'server';
  /** Milliseconds until every other server has heard of a switch; `HEARD_MS` if left out. */
  readonly heardMs?: number;
  readonly warn?: (message: string) => void;
}

/** Homes that nobody used for this long are closed. */
const IDLE_MS = 60_000;

/** One storage of the main database and the homes of single partitions. */
export async function openPlacedStorage(main: MainDatabase, options: PlacementOptions): Promise<Storage> {
  const places = new Places(main.registry);
  const homes = new OpenHomes(main.homes, {
    max: options.maxOpenHomes,
    idleMs: IDLE_MS,
    onOpen: async (home) => {
      await blobs.sweepOpened(home.blobs);
    },
    onCloseFailed: (place, error) =>
      options.warn?.(`The home ${place} was not closed in good order: ${String(error)}`),
  });
  const router = new HomeRouter(main.home, places, homes);
  const blobs = new PlacedBlobs(router);
  await main.homes.sweep();
  await places.load();
  return {
    resources: new PlacedResources(router, main.registry, options.resourceIds),
    search: new PlacedSearch(router),
    labels: new PlacedLabels(router),
    blobs,
    partitions: new PlacedRegistry({ main: main.registry, router, homes, provider: main.homes }),
    mover: new PartitionMover({
      registry: main.registry,
      router,
      homes,
      provider: main.homes,
      resourceIds: options.resourceIds,
      heardMs: options.heardMs ?? HEARD_MS,
    }),
    leaseJob: (id, owner, ms) => main.registry.leaseJob(id, owner, ms),
    usage: {
      read: (partition) => router.use(partition, ({ rows }) => rows.usage.read(partition)),
      count: (partition) => router.write(partition, ({ rows }) => rows.usage.count(partition)),
    },
    exports: main.exports,
    clients: main.clients,
    useExports: (partition, work) => router.write(partition, ({ exports }) => work(exports)),
    useRows: (partition, work) => router.use(partition, ({ rows }) => work(rows)),
    migrateHomes: () => migrateHomes(main.registry, main.homes, knownMigrations().at(-1) ?? null),
    setting: (key, create) => main.setting(key, create),
    settings: (prefix) => main.settings(prefix),
    saveSettings: (values) => main.saveSettings(values),
    takeNumbers: (count) => main.takeNumbers(count),
    refresh: async () => {
      const isChanged = await main.refresh();
      if (isChanged) {
        await places.load();
        await homes.closeStale(({ id, placement }) => places.homeOf(id)?.placement === placement);
      }
      return isChanged;
    },
    ping: () => main.ping(),
    close: async () => {
      await homes.close();
      await main.close();
    },
  };
}
