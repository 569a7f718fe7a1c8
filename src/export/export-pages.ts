import type {
  ExportClaim,
  PageEntry,
  VersionKey,
  VersionListPage,
  VersionPage,
} from '../storage/export-store.js';
import { BLOCKS, blockList } from './block-lists.js';
import type { ExportParts } from './export-parts.js';
import type { BlockKey, ExportStep, StepKey } from './export-progress.js';
import type { ExportRequest } from './export-request.js';
import { firstLines } from './ndjson.js';
import { BEGINNING } from './select.js';

/** A part of a step. */
export interface ExportPage extends Omit<VersionPage, 'next' | 'entries'> {
  /** Of the lines. */
  readonly type: string;
  /** Row id of the patient whose block it is in. */
  readonly patient?: number;
  /** Where the step goes on; null: it is done. */
  readonly next: StepKey;
}

/** What is read, and as of when. */
export interface PagesParts {
  readonly parts: ExportParts;
  readonly claim: ExportClaim;
  readonly request: ExportRequest;
  /** The transaction time. */
  readonly at: number;
}

/** Resources of a list that are read at once, at most. */
const LISTED = 2_000;

/** Reads what an export consists of, as it was at its moment. */
export class ExportPages {
  constructor(private readonly parts: PagesParts) {}

  /** What comes in a step after a place; of about so many bytes. */
  read(step: ExportStep, after: StepKey, bytes: number): Promise<ExportPage> {
    switch (step.from) {
      case 'walk':
        return this.walk(step.type, after as VersionKey | null, bytes);
      case 'list':
        return this.readList(step.type, step.type, { after: rowOf(after), bytes });
      case 'deletions':
        return this.readDeletions(step.type, { after: rowOf(after), bytes });
      case 'blocks':
        return this.readBlock(step.types, after as BlockKey | null, bytes);
    }
  }

  /** The id of a patient, also of one that was deleted. */
  async patientId(rowId: number): Promise<string> {
    const { entries, deleted, release } = await this.versions('Patient', [rowId], 1);
    release?.();
    return [...entries, ...deleted][0]?.id ?? '';
  }

  /** Whether there is more of a block. */
  async goesOn(types: readonly string[], { patient, type, row }: BlockKey): Promise<boolean> {
    for (let at = type; at < types.length; at++) {
      const after = at === type ? row : BEGINNING;
      if ((await this.rows(blockList(patient, types[at] ?? ''), after, 1)).length > 0) return true;
    }
    return false;
  }

  private async walk(type: string, after: VersionKey | null, bytes: number): Promise<ExportPage> {
    const { parts, claim, request, at } = this.parts;
    const { since, before } = request;
    const walk = { type, since: since ?? BEGINNING, until: at, after, bytes };
    const detail = before === null ? 'lines' : 'entries';
    const page = await parts.homes.walk(claim.job.partition, walk, detail);
    return { ...(before === null ? page : until(page, before)), type };
  }

  private async readList(
    list: string,
    type: string,
    { after, bytes }: { readonly after: number; readonly bytes: number },
  ): Promise<ExportPage & { readonly next: number | null }> {
    const rowIds = await this.rows(list, after, LISTED);
    const last = rowIds.at(-1);
    if (last === undefined) return { ...NOTHING, type };
    const page = await this.versions(type, rowIds, bytes);
    const [unread] = page.rest;
    if (unread !== undefined) return { ...page, type, next: unread - 1 };
    return { ...page, type, next: rowIds.length < LISTED ? null : last };
  }

  private async readDeletions(
    type: string,
    place: { readonly after: number; readonly bytes: number },
  ): Promise<ExportPage> {
    const { deleted, next, release } = await this.readList(type, type, place);
    release?.();
    return { ...NOTHING, type, deleted, next };
  }

  /** Of one type of one patient. */
  private async readBlock(
    types: readonly string[],
    after: BlockKey | null,
    bytes: number,
  ): Promise<ExportPage> {
    const isInside = after !== null && after.type < types.length;
    const place = isInside ? after : await this.nextBlock(after);
    const type = types[place?.type ?? 0];
    if (place === null || type === undefined) return { ...NOTHING, type: 'Patient' };
    const { patient } = place;
    const page = await this.readList(blockList(patient, type), type, { after: place.row, bytes });
    const next =
      page.next === null
        ? { patient, type: place.type + 1, row: BEGINNING }
        : { patient, type: place.type, row: page.next };
    return { ...page, deleted: [], patient, next };
  }

  private async nextBlock(after: BlockKey | null): Promise<BlockKey | null> {
    const [patient] = await this.rows(BLOCKS, after?.patient ?? BEGINNING, 1);
    return patient === undefined ? null : { patient, type: 0, row: BEGINNING };
  }

  private rows(list: string, after: number, limit: number): Promise<readonly number[]> {
    return this.parts.parts.jobs.matches(this.parts.claim, list, after, limit);
  }

  private versions(type: string, rowIds: readonly number[], bytes: number): Promise<VersionListPage> {
    const { parts, claim, at } = this.parts;
    return parts.homes.versionsAt(claim.job.partition, { type, rowIds, until: at, bytes });
  }
}

const NOTHING = {
  lines: new Uint8Array(0),
  count: 0,
  deleted: [],
  unreadable: [],
  next: null,
} as const;

function rowOf(after: StepKey): number {
  return typeof after === 'number' ? after : BEGINNING;
}

/** What was written before a time; the walk goes by time, so that nothing comes after what was not. */
function until(page: VersionPage, before: number): VersionPage {
  const isEarly = ({ updated }: PageEntry): boolean => updated < before;
  const count = page.entries.filter(isEarly).length;
  return {
    ...page,
    count,
    lines: firstLines(page.lines, count),
    unreadable: page.unreadable.filter(isEarly),
    next: count < page.entries.length ? null : page.next,
  };
}
