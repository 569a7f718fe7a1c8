/** Provenances that come besides: https://hl7.org/fhir/uv/bulkdata/export.html#query-parameters */
import { parseReference } from '../fhir/references.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { AssociatedData } from '../model/bulk-export.js';
import type { PartitionScope } from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import type { MatchList } from '../storage/export-store.js';
import type { SearchRow, SearchStore } from '../storage/search-store.js';
import { parsedResource } from './parsed-resource.js';

/** What Provenances are looked for with. */
export interface ProvenanceParts {
  readonly store: SearchStore;
  readonly scope: PartitionScope;
  readonly registry: SearchParameterRegistry;
  /** Adds resources to lists. */
  readonly add: (lists: readonly MatchList[]) => Promise<void>;
  readonly wanted: readonly AssociatedData[];
}

/** A resource that is exported. */
export interface ProvenanceTarget {
  readonly rowId: number;
  /** Where the latest of each are wanted. */
  readonly id?: string;
}

/** Targets of one statement, and what may come of them; where more comes, fewer are asked about. */
const TARGETS = 100;
const MOST_FOUND = 5_000;

/** Adds to an export the Provenances of what is exported: all of them, or of each resource the latest. */
export class AssociatedProvenance {
  private readonly paths: readonly string[];

  constructor(private readonly parts: ProvenanceParts) {
    this.paths = parts.registry.find('Provenance', 'target')?.paths ?? [];
  }

  /** Where both are asked for, all of them come. */
  get isAll(): boolean {
    return this.parts.wanted.includes('RelevantProvenanceResources');
  }

  /** Adds what tells of resources of a type. */
  async addOf(type: string, targets: readonly ProvenanceTarget[]): Promise<void> {
    for (let start = 0; start < targets.length; start += TARGETS)
      await this.addSome(type, targets.slice(start, start + TARGETS));
  }

  private async addSome(type: string, targets: readonly ProvenanceTarget[]): Promise<void> {
    const rows = await this.parts.store.linked(this.parts.scope, {
      direction: 'revinclude',
      sourceType: 'Provenance',
      paths: this.paths,
      targetType: type,
      from: targets.map(({ rowId }) => rowId),
      limit: MOST_FOUND,
    });
    const half = Math.ceil(targets.length / 2);
    if (rows.length >= MOST_FOUND && half < targets.length) {
      await this.addSome(type, targets.slice(0, half));
      return this.addSome(type, targets.slice(half));
    }
    const rowIds = this.isAll ? rows.map(({ rowId }) => rowId) : latestOf(type, targets, rows);
    await this.parts.add([{ list: 'Provenance', rowIds }]);
  }
}

/** Row ids of the Provenances that were recorded last, one for each target. */
function latestOf(
  type: string,
  targets: readonly ProvenanceTarget[],
  rows: readonly SearchRow[],
): readonly number[] {
  const ids = new Set(targets.map(({ id }) => id));
  const latest = new Map<string, { readonly recorded: number; readonly rowId: number }>();
  for (const { text, rowId, updated } of rows) {
    // Where it is written it is told that it cannot be read.
    const provenance = parsedResource(text) ?? { resourceType: 'Provenance' };
    const recorded = Date.parse(String(provenance['recorded'])) || updated;
    for (const id of targetIds(type, provenance)) {
      const known = latest.get(id);
      if (ids.has(id) && (known === undefined || recorded > known.recorded))
        latest.set(id, { recorded, rowId });
    }
  }
  return [...new Set([...latest.values()].map(({ rowId }) => rowId))];
}

function targetIds(type: string, { target }: Resource): readonly string[] {
  if (!Array.isArray(target)) return [];
  return (target as readonly { readonly reference?: unknown }[]).flatMap(({ reference }) => {
    const parsed = parseReference(typeof reference === 'string' ? reference : '');
    const isOfType = (parsed.kind === 'relative' || parsed.kind === 'absolute') && parsed.type === type;
    return isOfType ? [parsed.id] : [];
  });
}
