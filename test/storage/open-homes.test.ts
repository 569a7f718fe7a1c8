import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { PartitionId } from '../../src/model/partition.js';
import { toStorageOptions } from '../../src/storage-options.js';
import { defaultSettings } from '../../src/settings.js';
import type { Home, HomeProvider } from '../../src/storage/placement/home.js';
import { type HomeKey, OpenHomes } from '../../src/storage/placement/open-homes.js';
import { openPostgresDatabase } from '../../src/storage/sql/postgres/postgres-database.js';
import { openSqliteDatabase } from '../../src/storage/sql/sqlite/sqlite-database.js';
import { createTestDatabase } from '../support/test-database.js';
import { storeUnderTest } from '../support/test-store.js';

const MAX_OPEN = 3;
const HOMES = 8;
const USES = 300;

/** The homes of a database, with a count of those that are open. */
class CountedHomes {
  open = 0;
  most = 0;

  constructor(private readonly provider: HomeProvider) {}

  async openHome(...place: Parameters<HomeProvider['open']>): Promise<Home> {
    const home = await this.provider.open(...place);
    this.most = Math.max(this.most, ++this.open);
    const close = async (): Promise<void> => {
      await home.close();
      this.open--;
    };
    return { ...home, close };
  }
}

async function openMany(t: ExecutionContext) {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const options = toStorageOptions(defaultSettings(database.settings), Date.now);
  const isSqlite = storeUnderTest() === 'sqlite';
  const main = isSqlite ? await openSqliteDatabase(options) : await openPostgresDatabase(options);
  const placement = isSqlite ? 'database' : 'schema';
  const places = Array.from({ length: HOMES }, (_, index): HomeKey => {
    return { id: (index + 1) as PartitionId, placement };
  });
  for (const { id } of places) await (await main.homes.make(id, placement, 'active')).publish();
  const counted = new CountedHomes(main.homes);
  const provider = { open: (...place) => counted.openHome(...place) } as Pick<HomeProvider, 'open'>;
  const homes = new OpenHomes(provider as HomeProvider, {
    max: MAX_OPEN,
    idleMs: 60_000,
    onOpen: async () => undefined,
    onCloseFailed: (place, error) => t.fail(`${place}: ${String(error)}`),
  });
  t.teardown(async () => {
    await homes.close();
    await main.close();
    if (counted.open > 0) throw new Error(`${counted.open} homes are still open.`);
  });
  const stateOf = (place: HomeKey, ms = 0) =>
    homes.use(place, async ({ rows }) => {
      await pause(ms);
      return rows.state(place.id);
    });
  return { places, counted, homes, stateOf };
}

async function settled(counted: CountedHomes): Promise<number> {
  for (let turn = 0; turn < 500 && counted.open > MAX_OPEN; turn++) await pause(10);
  return counted.open;
}

test('homes are closed while others are used, and none under its users', async (t) => {
  const { places, counted, homes, stateOf } = await openMany(t);
  const uses = Array.from({ length: USES }, async (_, number) => {
    await pause(number % 50);
    return stateOf(places[(number * 5) % HOMES]!, number % 4);
  });
  t.deepEqual(new Set(await Promise.all(uses)), new Set(['active']));
  t.true(homes.size <= MAX_OPEN);
  t.true((await settled(counted)) <= MAX_OPEN);
});

test('one after the other, no more are open than may be, but for those that are being closed', async (t) => {
  const { places, counted, stateOf } = await openMany(t);
  for (const place of [...places, ...places.toReversed(), ...places]) {
    t.is(await stateOf(place), 'active');
    await settled(counted);
  }
  t.true(counted.most <= MAX_OPEN + 1, String(counted.most));
});

test('a home that is in use stays open, however many others come and go', async (t) => {
  const { places, counted, homes, stateOf } = await openMany(t);
  const [first, ...others] = places;
  await homes.use(first!, async ({ rows }) => {
    for (const other of [...others, ...others]) t.is(await stateOf(other), 'active');
    t.is(await rows.state(first!.id), 'active');
  });
  t.true((await settled(counted)) <= MAX_OPEN);
});
