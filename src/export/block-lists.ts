import { compartmentOwners } from '../fhir/compartments.js';
import { parseReference } from '../fhir/references.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { PartitionScope } from '../model/partition.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { SearchRow, SearchStore } from '../storage/search-store.js';
import { parsedResource, unreadableIssue } from './parsed-resource.js';
import { chunksOf } from './select-patients.js';

/** Name of the list of patients of whom there is anything. */
export const BLOCKS = 'blocks';

/** Name of the list of what belongs to a patient, of one type. */
export function blockList(patient: number, type: string): string {
  return `${patient} ${type}`;
}

/** What is found out with what. */
export interface BlockListParts {
  readonly store: SearchStore;
  readonly scope: PartitionScope;
  readonly registry: SearchParameterRegistry;
  /** Adds resources to the list of this name. */
  readonly add: (list: string, rowIds: readonly number[]) => Promise<void>;
  /** Told of what cannot be read, so that nobody knows whose it is. */
  readonly report: (issue: OutcomeIssue) => void;
  /** Whether a patient is part of the export. */
  readonly isOurs: (patient: string) => boolean;
}

/** Lists for each patient what belongs to it: https://hl7.org/fhir/uv/bulkdata/export.html, `organizeOutputBy`. */
export class BlockLists {
  constructor(private readonly parts: BlockListParts) {}

  async addOf(type: string, rows: readonly SearchRow[]): Promise<void> {
    const owned = new Map<string, number[]>();
    for (const { row, owners } of await this.withOwners(type, rows)) {
      for (const owner of owners)
        if (this.parts.isOurs(owner)) owned.set(owner, [...(owned.get(owner) ?? []), row.rowId]);
    }
    const patients = await this.find('Patient', [...owned.keys()]);
    await this.parts.add(
      BLOCKS,
      patients.map(({ rowId }) => rowId),
    );
    for (const { id, rowId } of patients) await this.parts.add(blockList(rowId, type), owned.get(id) ?? []);
  }

  private async withOwners(
    type: string,
    rows: readonly SearchRow[],
  ): Promise<readonly { readonly row: SearchRow; readonly owners: readonly string[] }[]> {
    if (type === 'Provenance') return this.withOwnersOfTargets(rows);
    return rows.map((row) => ({ row, owners: this.ownersOf(row) }));
  }

  /** A patient's link to another does not make it part of the other's record. */
  private ownersOf({ type, id, text }: SearchRow): readonly string[] {
    if (type === 'Patient') return [id];
    const resource = parsedResource(text);
    if (resource === undefined) this.parts.report(unreadableIssue(`${type}/${id}`));
    return resource === undefined ? [] : compartmentOwners('Patient', resource, this.parts.registry);
  }

  /** What tells of a resource that belongs to somebody belongs to them too. */
  private async withOwnersOfTargets(
    rows: readonly SearchRow[],
  ): Promise<readonly { readonly row: SearchRow; readonly owners: readonly string[] }[]> {
    const targets = rows.map((row) => ({ row, targets: targetsOf(row) }));
    const byType = Map.groupBy(
      targets.flatMap((one) => one.targets),
      ({ type }) => type,
    );
    const owners = new Map<string, readonly string[]>();
    for (const [type, ofType] of byType) {
      const found = await this.find(type, [...new Set(ofType.map(({ id }) => id))]);
      for (const row of found) owners.set(`${type}/${row.id}`, this.ownersOf(row));
    }
    return targets.map(({ row, targets: of }) => ({
      row,
      owners: [...new Set(of.flatMap(({ type, id }) => owners.get(`${type}/${id}`) ?? []))],
    }));
  }

  private async find(type: string, ids: readonly string[]): Promise<readonly SearchRow[]> {
    const found: SearchRow[] = [];
    for (const chunk of chunksOf(ids)) {
      const plan = { type, where: { kind: 'ids', ids: chunk }, sort: [] } as const;
      found.push(...(await this.parts.store.page(this.parts.scope, plan, { count: chunk.length })));
    }
    return found;
  }
}

function targetsOf({ text }: SearchRow): readonly { readonly type: string; readonly id: string }[] {
  const target = parsedResource(text)?.['target'];
  if (!Array.isArray(target)) return [];
  return (target as readonly { readonly reference?: unknown }[]).flatMap(({ reference }) => {
    const parsed = parseReference(typeof reference === 'string' ? reference : '');
    return parsed.kind === 'relative' ? [{ type: parsed.type, id: parsed.id }] : [];
  });
}
