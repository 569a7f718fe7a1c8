import type { ChunkKey } from './home.js';
import type { Route } from './resource-transfer.js';

/** Keys that are compared at once. */
const PAGE = 500;
/** Chunks that are written in one transaction: some 1.5 MiB. */
const BATCH_CHUNKS = 8;

/** Makes the target hold the same blobs as the source; answers how many pieces it did not hold. */
export async function bringBlobs(route: Route): Promise<number> {
  const { partition, source, target } = route;
  let brought = 0;
  for (let after: ChunkKey | null = null; ;) {
    const wanted: readonly ChunkKey[] = await source.chunkKeys(partition, after, PAGE);
    const end = wanted.length < PAGE ? null : (wanted.at(-1) ?? null);
    const held = await keysUpTo(route, after, end);
    const wantedNames = new Set(wanted.map(nameOf));
    const heldNames = new Set(held.map(nameOf));
    const missing = wanted.filter((key) => !heldNames.has(nameOf(key)));
    for (let index = 0; index < missing.length; index += BATCH_CHUNKS) {
      const keys = missing.slice(index, index + BATCH_CHUNKS);
      await target.addChunks(await source.chunks(partition, keys));
    }
    brought += missing.length;
    const extra = held.filter((key) => !wantedNames.has(nameOf(key)));
    if (extra.length > 0) await target.removeChunks(partition, extra);
    if (end === null) break;
    after = end;
  }
  await target.setStages(partition, await source.stages(partition));
  return brought;
}

/** The target's keys after one key, up to and with another; null: to the last. */
async function keysUpTo(
  { partition, target }: Route,
  from: ChunkKey | null,
  end: ChunkKey | null,
): Promise<readonly ChunkKey[]> {
  const found: ChunkKey[] = [];
  for (let after = from; ;) {
    const page: readonly ChunkKey[] = await target.chunkKeys(partition, after, PAGE);
    for (const key of page) {
      if (end !== null && isAfter(key, end)) return found;
      found.push(key);
    }
    if (page.length < PAGE) return found;
    after = page.at(-1) ?? null;
  }
}

function isAfter(a: ChunkKey, b: ChunkKey): boolean {
  return a.blob === b.blob ? a.number > b.number : a.blob > b.blob;
}

function nameOf({ blob, number }: ChunkKey): string {
  return `${blob} ${number}`;
}
