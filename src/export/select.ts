import { compartmentOwners } from '../fhir/compartments.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { PartitionScope } from '../model/partition.js';
import type { OutcomeIssue } from '../model/resource.js';
import type {
  ExportClaim,
  MatchList,
  PageEntry,
  PartitionSnapshot,
  VersionKey,
} from '../storage/export-store.js';
import type { Condition } from '../storage/search-store.js';
import { AssociatedProvenance, type ProvenanceTarget } from './associated-provenance.js';
import { type Belonging, belongingsOf } from './belonging.js';
import { type BlockListParts, BlockLists } from './block-lists.js';
import { ClaimLostError } from './claim-lost.js';
import type { ExportParts } from './export-parts.js';
import type { ExportProgress, ExportStep } from './export-progress.js';
import type { ExportRequest } from './export-request.js';
import { typesOfLevel } from './exported-types.js';
import { type ListedResource, listedTexts } from './listed-texts.js';
import { parsedResource } from './parsed-resource.js';
import { type SelectedPatients, selectPatients } from './select-patients.js';

/** What a selection is made of. */
export interface SelectionParts {
  readonly parts: ExportParts;
  readonly claim: ExportClaim;
  readonly request: ExportRequest;
  readonly snapshot: PartitionSnapshot;
  /** Throws once the work has to end. */
  readonly check: () => void;
}

const PROVENANCE = 'Provenance';
/** Nothing is older. */
export const BEGINNING = -1;
const PAGE_BYTES = 2 ** 20;

/**
 * Decides, in the state of one moment, what an export consists of. Types of which everything is exported are walked
 * later; of the others the resources are listed now.
 */
export async function selectExport(selection: SelectionParts): Promise<ExportProgress> {
  const { parts, claim, request, snapshot } = selection;
  const scope = parts.scopeOf(claim.job.partition);
  const registry = await parts.search.parametersOf(claim.job.partition);
  if (!(await parts.jobs.clearMatches(claim))) throw new ClaimLostError();
  const patients = await selectPatients(request, snapshot, scope);
  const issues = [...(patients?.issues ?? [])];
  const report = (issue: OutcomeIssue): void => void issues.push(issue);
  const steps: ExportStep[] = [];
  let total = 0;
  if (patients === null || patients.ids.size > 0) {
    const counts = await parts.homes.countTypes(claim.job.partition);
    const selector = new TypeSelector({ ...selection, scope, registry, patients, counts, report });
    for (const type of typesOf(request)) {
      const step = await selector.select(type);
      if (step === null) continue;
      steps.push({ type, from: step.from });
      total += step.count;
    }
  }
  const inOrder = request.organizeBy === null ? steps : inBlocks(steps, request);
  return { steps: inOrder, step: 0, after: null, total, done: 0, parts: {}, continued: [], issues };
}

/** What was listed comes in blocks, the patient first in each. Deletions belong to none. */
function inBlocks(steps: readonly ExportStep[], request: ExportRequest): readonly ExportStep[] {
  const types = steps.map(({ type }) => type).toSorted((one, other) => rank(one) - rank(other));
  const told = types.filter((type) => !isLimited(request, type));
  const deletions = told.map((type): ExportStep => ({ type, from: 'deletions' }));
  return [{ type: 'Patient', from: 'blocks', types }, ...(request.since === null ? [] : deletions)];
}

/** Of what was deleted nobody can tell any more whether a limited token would have found it. */
function isLimited({ limits }: ExportRequest, type: string): boolean {
  return limits?.some((limit) => limit.type === type) ?? false;
}

function rank(type: string): number {
  return type === 'Patient' ? 0 : 1;
}

/** Where Provenances are asked for besides they come last: what they tell of is known then. */
function typesOf({ types, level, associated, organizeBy }: ExportRequest): readonly string[] {
  const asked = types ?? typesOfLevel(organizeBy === null ? level : { kind: 'patient' });
  return associated.length === 0 ? asked : [...asked.filter((type) => type !== PROVENANCE), PROVENANCE];
}

interface TypeSelectorParts extends SelectionParts {
  readonly scope: PartitionScope;
  readonly registry: SearchParameterRegistry;
  readonly patients: SelectedPatients | null;
  /** What there is by type, deletions included. */
  readonly counts: ReadonlyMap<string, number>;
  readonly report: (issue: OutcomeIssue) => void;
}

/** How the resources of a type are found later, and about how many there are. */
interface Step {
  readonly from: 'walk' | 'list';
  readonly count: number;
}

class TypeSelector {
  private readonly provenance: AssociatedProvenance | undefined;
  private readonly blocks: BlockLists | undefined;

  constructor(private readonly parts: TypeSelectorParts) {
    const { request, snapshot, scope, registry, patients } = parts;
    const { associated: wanted, organizeBy } = request;
    const found = { store: snapshot.search, scope, registry };
    const add = (lists: readonly MatchList[]): Promise<void> => this.add(lists);
    if (wanted.length > 0) this.provenance = new AssociatedProvenance({ ...found, add, wanted });
    const isOurs = (id: string): boolean => patients === null || patients.ids.has(id);
    const { report } = parts;
    const texts: BlockListParts['texts'] = (type, rowIds) => this.texts(type, rowIds);
    if (organizeBy !== null) this.blocks = new BlockLists({ ...found, add, texts, isOurs, report });
  }

  /** Null: there is nothing of the type. */
  async select(type: string): Promise<Step | null> {
    const { request } = this.parts;
    if (this.isAssociatedAlone(type)) return this.listed(type);
    if (!this.parts.counts.has(type)) return null;
    const filter = await this.filterOf(type);
    const present = type === PROVENANCE ? this.presentTypes() : [];
    const belongings = belongingsOf(type, { ...this.parts, present });
    if (filter === null && belongings === null && !this.provenance && !this.blocks)
      return { from: 'walk', count: await this.count(type) };
    for (const { where, times } of belongings ?? [EVERYTHING]) {
      const of = [where, ...this.timesOf(times), ...(filter === null ? [] : [filter])];
      await this.list(type, of);
    }
    if (request.since !== null && !isLimited(request, type)) await this.listDeleted(type, request.since);
    return this.listed(type);
  }

  /** Provenances that come for what they tell of, and for nothing else. */
  private isAssociatedAlone(type: string): boolean {
    const { types } = this.parts.request;
    if (type !== PROVENANCE || !this.provenance) return false;
    return !this.provenance.isAll || (types !== null && !types.includes(PROVENANCE));
  }

  private async listed(type: string): Promise<Step | null> {
    const count = await this.parts.parts.jobs.countMatches(this.parts.claim, type);
    return count === 0 ? null : { from: 'list', count };
  }

  private async count(type: string): Promise<number> {
    const { counts, snapshot, scope } = this.parts;
    const of = this.timesOf('changes');
    if (of.length === 0) return counts.get(type) ?? 0;
    return snapshot.search.count(scope, { type, where: { kind: 'all', of }, sort: [] });
  }

  /** Of what there is nothing no Provenance tells. */
  private presentTypes(): readonly string[] {
    return typesOfLevel({ kind: 'patient' }).filter((type) => this.parts.counts.has(type));
  }

  /** Null: nothing is filtered. */
  private async filterOf(type: string): Promise<Condition | null> {
    const { request, parts, snapshot, scope } = this.parts;
    const all: Condition[] = [];
    for (const list of [request.filters, request.limits ?? []]) {
      const filters = list.filter((filter) => filter.type === type);
      const of: Condition[] = [];
      for (const filter of filters) {
        const plan = await parts.search.plan({ store: snapshot.search, scope, filter, base: request.base });
        of.push(plan.where);
      }
      if (of.length > 0) all.push({ kind: 'any', of });
    }
    return all.length === 0 ? null : { kind: 'all', of: all };
  }

  private timesOf(times: Belonging['times']): readonly Condition[] {
    const { since, before } = this.parts.request;
    return [
      ...(since === null || times === 'whole' ? [] : [written('gt', since)]),
      ...(before === null ? [] : [written('lt', before)]),
    ];
  }

  private async list(type: string, of: readonly Condition[]): Promise<void> {
    const { scope, snapshot, check } = this.parts;
    const plan = { type, where: { kind: 'all', of }, sort: [] } as const;
    for await (const rowIds of snapshot.search.rowIds(scope, plan)) {
      check();
      await this.add([{ list: type, rowIds }]);
      await this.addWhatComesWith(type, rowIds);
    }
  }

  /** Mostly nothing does: either Provenances are asked for besides, or whose everything is. */
  private async addWhatComesWith(type: string, rowIds: readonly number[]): Promise<void> {
    const provenance = type === PROVENANCE ? undefined : this.provenance;
    const { blocks } = this;
    if (provenance?.isAll === true) return provenance.addOf(type, rowIds.map(withoutName));
    if (provenance === undefined && blocks === undefined) return;
    for await (const resources of this.texts(type, rowIds)) {
      await provenance?.addOf(type, resources);
      await blocks?.addOf(type, resources);
    }
  }

  private texts(type: string, rowIds: readonly number[]): AsyncIterable<readonly ListedResource[]> {
    const { parts, claim, snapshot } = this.parts;
    const { partition } = claim.job;
    return listedTexts({ homes: parts.homes, partition, at: snapshot.at }, type, rowIds);
  }

  private async add(lists: readonly MatchList[]): Promise<void> {
    const { parts, claim } = this.parts;
    const filled = lists.filter(({ rowIds }) => rowIds.length > 0);
    if (filled.length === 0) return;
    if (!(await parts.jobs.addMatches(claim, filled))) throw new ClaimLostError();
  }

  /** What was deleted since then, and belonged to the export when it was there last. */
  private async listDeleted(type: string, since: number): Promise<void> {
    const { parts, claim, snapshot, check } = this.parts;
    const { partition } = claim.job;
    let after: VersionKey | null = null;
    do {
      check();
      const walk = { type, since, until: snapshot.at, after, bytes: PAGE_BYTES };
      const page = await parts.homes.walk(partition, walk, 'deletions');
      const belonging = await this.belonging(type, page.deleted);
      await this.add([{ list: type, rowIds: belonging.map(({ rowId }) => rowId) }]);
      after = page.next;
    } while (after !== null);
  }

  private async belonging(type: string, entries: readonly PageEntry[]): Promise<readonly PageEntry[]> {
    const { parts, claim, patients, registry, request } = this.parts;
    const { level, before } = request;
    const inTime = entries.filter(({ updated }) => before === null || updated < before);
    const isOurs = (id: string): boolean => patients === null || patients.ids.has(id);
    if (level.kind === 'system') return inTime;
    if (level.kind === 'group' && type === 'Group') return inTime.filter(({ id }) => id === level.id);
    if (type === 'Patient') return inTime.filter(({ id }) => isOurs(id));
    const texts = await parts.homes.lastTexts(claim.job.partition, inTime);
    return inTime.filter(({ rowId }) => {
      const resource = parsedResource(texts.get(rowId) ?? '');
      return resource !== undefined && compartmentOwners('Patient', resource, registry).some(isOurs);
    });
  }
}

function withoutName(rowId: number): ProvenanceTarget {
  return { rowId };
}

function written(comparison: 'gt' | 'lt', time: number): Condition {
  return { kind: 'updated', test: { comparison, low: time, high: time } };
}

const EVERYTHING: Belonging = { where: { kind: 'all', of: [] }, times: 'changes' };
