import type { PartitionId } from '../model/partition.js';
import type { HomeExports, VersionListPage } from '../storage/export-store.js';

/** A resource as it was at the moment of an export. */
export interface ListedResource {
  readonly type: string;
  readonly rowId: number;
  readonly id: string;
  /** Empty where it is not one line of JSON. */
  readonly text: string;
}

/** What is read, and as of when. */
export interface ListedTextsParts {
  readonly homes: Pick<HomeExports, 'versionsAt'>;
  readonly partition: PartitionId;
  /** The transaction time. */
  readonly at: number;
}

/** Of texts that are held at once. */
const TEXT_BYTES = 4 * 2 ** 20;
/** Resources that are asked for at once. */
const RESOURCES = 1_000;

/** Resources of one type with their texts, some of them at a time: as many as do not take much memory. */
export async function* listedTexts(
  { homes, partition, at }: ListedTextsParts,
  type: string,
  rowIds: readonly number[],
): AsyncGenerator<readonly ListedResource[]> {
  let left = rowIds.toSorted((one, other) => one - other);
  while (left.length > 0) {
    const asked = left.slice(0, RESOURCES);
    const list = { type, rowIds: asked, until: at, bytes: TEXT_BYTES };
    const page = await homes.versionsAt(partition, list);
    yield resourcesOf(type, page);
    left = [...page.rest, ...left.slice(RESOURCES)];
  }
}

/** Every line has its entry, in the same order. */
function resourcesOf(
  type: string,
  { lines, entries, unreadable }: VersionListPage,
): readonly ListedResource[] {
  const texts = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength).toString().split('\n');
  return [
    ...entries.map(({ rowId, id }, at) => ({ type, rowId, id, text: texts[at] ?? '' })),
    ...unreadable.map(({ rowId, id }) => ({ type, rowId, id, text: '' })),
  ];
}
