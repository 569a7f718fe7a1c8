import test from 'ava';
import { givingWay } from '../../src/export/giving-way.js';
import type { PartitionId } from '../../src/model/partition.js';
import type { HomeExports, VersionPage } from '../../src/storage/export-store.js';

const WANTED = 4 * 2 ** 20;
const PARTITION = 1 as PartitionId;
const WALK = { type: 'Patient', since: 0, until: 1, after: null, bytes: WANTED };
const PAGE: VersionPage = {
  lines: new Uint8Array(0),
  count: 0,
  entries: [],
  deleted: [],
  unreadable: [],
  next: null,
};

/** Pages that take a while to read, and how they were read. */
function slowHomes() {
  const seen = { bytes: [] as number[], atOnce: 0, most: 0 };
  const read = async (bytes: number): Promise<void> => {
    seen.bytes.push(bytes);
    seen.most = Math.max(seen.most, ++seen.atOnce);
    await elapsed(30);
    seen.atOnce--;
  };
  const homes = {
    walk: async (_: PartitionId, { bytes }: { readonly bytes: number }) => {
      await read(bytes);
      return PAGE;
    },
    versionsAt: async (_: PartitionId, { bytes }: { readonly bytes: number }) => {
      await read(bytes);
      return { ...PAGE, rest: [] };
    },
  } as unknown as HomeExports;
  return { homes, seen };
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const LIST = { type: 'Patient', rowIds: [1], until: 1, bytes: WANTED };

test('alone, exports read whole pages at the same time', async (t) => {
  const { homes, seen } = slowHomes();
  const polite = givingWay(homes, () => 7);
  await elapsed(120);
  await Promise.all([polite.walk(PARTITION, WALK, 'lines'), polite.versionsAt(PARTITION, LIST)]);
  t.deepEqual(seen.bytes, [WANTED, WANTED]);
  t.is(seen.most, 2);
});

test('beside requests they read small pages, one at a time and with pauses, until the requests have ended', async (t) => {
  const { homes, seen } = slowHomes();
  let served = 0;
  const polite = givingWay(homes, () => served);
  await elapsed(120);
  served = 100;
  const begun = performance.now();
  await Promise.all([
    polite.walk(PARTITION, WALK, 'lines'),
    polite.versionsAt(PARTITION, LIST),
    polite.walk(PARTITION, { ...WALK, bytes: 1000 }, 'lines'),
  ]);
  // Three pages and two pauses between them; timers may be early by a millisecond.
  t.true(performance.now() - begun >= (3 + 2 * 2) * 29, `${performance.now() - begun} ms`);
  t.deepEqual(seen.bytes, [512 * 1024, 512 * 1024, 1000]);
  t.is(seen.most, 1);
  await elapsed(120);
  await polite.walk(PARTITION, WALK, 'lines');
  t.is(seen.bytes.at(-1), WANTED);
});

test('a page that cannot be read does not keep others from theirs', async (t) => {
  let served = 0;
  let isDown = true;
  const { homes } = slowHomes();
  const failing = {
    ...homes,
    walk: (...asked: Parameters<HomeExports['walk']>) =>
      isDown ? Promise.reject(new Error('down')) : homes.walk(...asked),
  };
  const polite = givingWay(failing, () => served);
  await elapsed(120);
  served = 100;
  await t.throwsAsync(polite.walk(PARTITION, WALK, 'lines'), { message: 'down' });
  isDown = false;
  t.is(await polite.walk(PARTITION, WALK, 'lines'), PAGE);
});
