import { compartmentOwners } from '../fhir/compartments.js';
import { parseReference } from '../fhir/references.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { PartitionScope } from '../model/partition.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { MatchList } from '../storage/export-store.js';
import type { SearchRow, SearchStore } from '../storage/search-store.js';
import type { ListedResource } from './listed-texts.js';
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
  /** Adds resources to lists. */
  readonly add: (lists: readonly MatchList[]) => Promise<void>;
  /** Texts of resources of one type, some at a time. */
  readonly texts: (type: string, rowIds: readonly number[]) => AsyncIterable<readonly ListedResource[]>;
  /** Told of what cannot be read, so that nobody knows whose it is. */
  readonly report: (issue: OutcomeIssue) => void;
  /** Whether a patient is part of the export. */
  readonly isOurs: (patient: string) => boolean;
}

/** Lists for each patient what belongs to it: https://hl7.org/fhir/uv/bulkdata/export.html, `organizeOutputBy`. */
export class BlockLists {
  constructor(private readonly parts: BlockListParts) {}

  /** However many patients these are of, all lists are added to at once. */
  async addOf(type: string, resources: readonly ListedResource[]): Promise<void> {
    const owned = new Map<string, number[]>();
    for (const { rowId, owners } of await this.withOwners(type, resources))
      for (const owner of owners) if (this.parts.isOurs(owner)) addTo(owned, owner, rowId);
    const patients = await this.find('Patient', [...owned.keys()]);
    await this.parts.add([
      { list: BLOCKS, rowIds: patients.map(({ rowId }) => rowId) },
      ...patients.map(({ id, rowId }) => ({ list: blockList(rowId, type), rowIds: owned.get(id) ?? [] })),
    ]);
  }

  private async withOwners(
    type: string,
    resources: readonly ListedResource[],
  ): Promise<readonly { readonly rowId: number; readonly owners: readonly string[] }[]> {
    if (type === 'Provenance') return this.withOwnersOfTargets(resources);
    return resources.map((resource) => ({ rowId: resource.rowId, owners: this.ownersOf(resource) }));
  }

  /** A patient's link to another does not make it part of the other's record. */
  private ownersOf({ type, id, text }: ListedResource): readonly string[] {
    if (type === 'Patient') return [id];
    const resource = parsedResource(text);
    if (resource === undefined) this.parts.report(unreadableIssue(`${type}/${id}`));
    return resource === undefined ? [] : compartmentOwners('Patient', resource, this.parts.registry);
  }

  /** What tells of a resource that belongs to somebody belongs to them too. */
  private async withOwnersOfTargets(
    resources: readonly ListedResource[],
  ): Promise<readonly { readonly rowId: number; readonly owners: readonly string[] }[]> {
    const told = resources.map((resource) => ({ rowId: resource.rowId, targets: targetsOf(resource) }));
    const byType = Map.groupBy(
      told.flatMap(({ targets }) => targets),
      ({ type }) => type,
    );
    const owners = new Map<string, readonly string[]>();
    for (const [type, ofType] of byType) {
      const found = await this.find(type, [...new Set(ofType.map(({ id }) => id))]);
      const rowIds = found.map(({ rowId }) => rowId);
      for await (const targets of this.parts.texts(type, rowIds))
        for (const target of targets) owners.set(`${type}/${target.id}`, this.ownersOf(target));
    }
    return told.map(({ rowId, targets }) => ({
      rowId,
      owners: [...new Set(targets.flatMap(({ type, id }) => owners.get(`${type}/${id}`) ?? []))],
    }));
  }

  /** Without their texts. */
  private async find(type: string, ids: readonly string[]): Promise<readonly SearchRow[]> {
    const found: SearchRow[] = [];
    for (const chunk of chunksOf(ids)) {
      const plan = { type, where: { kind: 'ids', ids: chunk }, sort: [] } as const;
      const window = { count: chunk.length, texts: 'left out' } as const;
      found.push(...(await this.parts.store.page(this.parts.scope, plan, window)));
    }
    return found;
  }
}

function addTo(owned: Map<string, number[]>, owner: string, rowId: number): void {
  const rowIds = owned.get(owner);
  if (rowIds) rowIds.push(rowId);
  else owned.set(owner, [rowId]);
}

function targetsOf({ text }: ListedResource): readonly { readonly type: string; readonly id: string }[] {
  const target = parsedResource(text)?.['target'];
  if (!Array.isArray(target)) return [];
  return (target as readonly { readonly reference?: unknown }[]).flatMap(({ reference }) => {
    const parsed = parseReference(typeof reference === 'string' ? reference : '');
    return parsed.kind === 'relative' ? [{ type: parsed.type, id: parsed.id }] : [];
  });
}
