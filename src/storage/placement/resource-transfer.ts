import type { IndexValues } from '../../fhir/index-values.js';
import type { PartitionId } from '../../model/partition.js';
import type { Arrival, HomeRows, RawRow, ResourceMark, ResourceRows } from './home.js';

/** Superseded versions that are written in one transaction. */
const BATCH_VERSIONS = 200;
/** Marks that are compared at once. */
const PAGE = 500;

/** Index values of a stored text of a type. */
export type IndexOf = (type: string, text: string) => IndexValues;

/** From where to where, and whose. */
export interface Route {
  readonly partition: PartitionId;
  readonly source: HomeRows;
  readonly target: HomeRows;
}

/** Brings resources of a partition from one home into another, as often as they change. */
export class ResourceTransfer {
  constructor(
    private readonly route: Route,
    private readonly indexOf: IndexOf,
  ) {}

  /**
   * Makes the target hold the same version of each resource as the source; answers how many it did not hold. The
   * current version is read before those that it superseded, so that none of them is missed.
   */
  async bring(marks: readonly ResourceMark[]): Promise<number> {
    const { partition, source, target } = this.route;
    const held = await target.versions(
      partition,
      marks.map(({ rowId }) => rowId),
    );
    const rowIds = marks.filter((mark) => held.get(mark.rowId) !== mark.version).map(({ rowId }) => rowId);
    if (rowIds.length === 0) return 0;
    const current = await source.resources(partition, rowIds);
    const previous = await target.resources(
      partition,
      rowIds.filter((rowId) => held.has(rowId)),
    );
    await this.bringSuperseded(rowIds);
    const known = new Map(previous.map((rows) => [rows.rowId, rows]));
    await target.arrive(
      partition,
      current.map((rows) => this.toArrival(rows, known.get(rows.rowId))),
    );
    return current.length;
  }

  /**
   * Brings what changed from `since` to `until` (ms); answers how many resources did. What changes meanwhile is left to
   * the next time: whoever ran after writers would never arrive.
   */
  async bringChanged(typeIds: readonly number[], since: number, until: number): Promise<number> {
    const { partition, source } = this.route;
    let brought = 0;
    for (const typeId of typeIds) {
      for (let after: ResourceMark | null = null; ;) {
        const from = { typeId, updated: since };
        const marks: readonly ResourceMark[] = await source.changed(partition, from, after, PAGE);
        brought += await this.bring(marks);
        after = marks.at(-1) ?? null;
        if (after === null || after.updated > until) break;
      }
    }
    return brought;
  }

  private toArrival(rows: ResourceRows, previous: ResourceRows | undefined): Arrival {
    return { ...rows, index: this.index(rows), previousIndex: previous ? this.index(previous) : null };
  }

  private index({ type, text }: ResourceRows): IndexValues | null {
    return text === null ? null : this.indexOf(type, text);
  }

  private async bringSuperseded(rowIds: readonly number[]): Promise<void> {
    const { partition, source, target } = this.route;
    const held = await target.supersededVersions(partition, rowIds);
    let waiting: RawRow[] = [];
    for (const rowId of rowIds) {
      for (let version = held.get(rowId) ?? 0; ;) {
        const rows = await source.superseded(partition, { rowId, version }, BATCH_VERSIONS);
        waiting.push(...rows);
        if (waiting.length >= BATCH_VERSIONS) {
          await target.addSuperseded(waiting);
          waiting = [];
        }
        if (rows.length < BATCH_VERSIONS) break;
        version = Number(rows.at(-1)?.[VERSION_COLUMN]);
      }
    }
    if (waiting.length > 0) await target.addSuperseded(waiting);
  }
}

/** Of RES_VER in `MOVED_COLUMNS`. */
const VERSION_COLUMN = 5;
