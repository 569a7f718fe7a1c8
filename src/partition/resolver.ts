import { isPromise, type Asked } from '../hooks/dispatch.js';
import type { MaybePromise, PointcutName, ReadTarget } from '../hooks/pointcuts.js';
import type { HookRegistry } from '../hooks/registry.js';
import type { ScopedAccess } from '../model/access.js';
import { FhirError } from '../model/errors.js';
import {
  DEFAULT_PARTITION_ID,
  NON_PARTITIONABLE_TYPES,
  type Partition,
  type PartitionAssignment,
  type PartitionChoice,
  type PartitionId,
  type PartitionScope,
} from '../model/partition.js';
import { principalOf } from '../model/principal.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { StoredVersion } from '../storage/store.js';
import type { PartitionDirectory } from './directory.js';
import { scopedAccess } from './scoped-access.js';
import { assertMayChange, granted, knownPrincipal } from './tenant-grants.js';

/** How partitions are decided; see `partitioning` and `unnamedPartitions` in the settings. */
export interface PartitionResolverOptions {
  /** False: everything is DEFAULT's, and no IDENTIFY hook is asked. */
  readonly enabled: boolean;
  /** Any integer is a partition; nothing is registered. */
  readonly unnamed: boolean;
  /** Types that are kept in DEFAULT for everybody, and that partitions may hold of their own besides. */
  readonly alsoHeld: ReadonlySet<string>;
  /** Whether tokens grant partitions; else everybody may have each. */
  readonly grants: 'judged' | 'ignored';
  /** Registers an unnamed partition when it is first written to. */
  readonly adopt: (id: PartitionId) => Promise<void>;
}

/** A decision and how it came about, for `$partition-explain`. */
export interface PartitionExplanation {
  readonly pointcut: string;
  /** The interceptor that decided; undefined where none did. */
  readonly by: string | undefined;
  readonly asked: readonly Asked<PartitionChoice>[];
  readonly partitions: readonly Partition[];
  readonly all: boolean;
  readonly date: string | null;
}

type DefaultChoice = Extract<PartitionChoice, { readonly by: 'default' }>;
type IdentifyPointcut = Extract<PointcutName, `STORAGE_PARTITION_IDENTIFY_${string}`>;

interface Selection {
  readonly partitions: readonly Partition[];
  readonly all: boolean;
  readonly date: string | null;
  readonly types: PartitionScope['types'];
}

/** Attribute of a request with the ids of the partitions that were selected last, for the log. */
export const SELECTED_PARTITIONS = 'bulkhead.partitions';

const CALENDAR_DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * The only caller of the partition pointcuts and the only maker of scopes and assignments. Each interaction
 * asks once, at its beginning, and hands the answer down as a value.
 */
export class PartitionResolver {
  /** What was decided, by request: a write that has to be planned anew is not decided anew. */
  private readonly scopes = new WeakMap<RequestDetails, PartitionScope>();
  private readonly assignments = new WeakMap<RequestDetails, PartitionAssignment>();

  constructor(
    private readonly hooks: HookRegistry,
    private readonly directory: PartitionDirectory,
    private readonly options: PartitionResolverOptions,
  ) {}

  /**
   * The partitions that the interaction may read; the same for the same request.
   * @throws FhirError UNKNOWN_PARTITION, PARTITION_NOT_DECIDED, or what a hook throws.
   */
  resolveRead(request: RequestDetails): MaybePromise<PartitionScope> {
    return isAskedAgain(request)
      ? this.rememberedRead(request)
      : this.resolveReadOf(request, targetOf(request));
  }

  /**
   * As `resolveRead`, for something else than the request itself says; asked and announced anew each time. A promise
   * only where a hook answers one.
   */
  resolveReadOf(request: RequestDetails, target: ReadTarget): MaybePromise<PartitionScope> {
    if (this.isPublic(request)) return this.scopeOfDefinitions();
    const choice = this.options.enabled ? this.identifyRead(request, target) : DEFAULT_CHOICE;
    return isPromise(choice)
      ? choice.then((late) => this.scopeOf(request, target, late))
      : this.scopeOf(request, target, choice);
  }

  /**
   * The partition that a new resource is written to; the same for the same request.
   * @throws FhirError UNKNOWN_PARTITION, PARTITION_REQUIRED_ONE, NOT_PARTITIONABLE, PARTITION_NOT_DECIDED.
   */
  async resolveCreate(request: RequestDetails, resource: Resource): Promise<PartitionAssignment> {
    const known = this.assignments.get(request);
    if (known) return known;
    const choice = this.options.enabled ? await this.identifyCreate(request, resource) : DEFAULT_CHOICE;
    const selection = this.selectFor(request, choice);
    const { id } = this.writable(resource.resourceType, selection);
    await this.announce(request, targetOf(request), selection);
    if (this.options.unnamed) await this.options.adopt(id);
    const assignment = toAssignment(id, selection, scopedAccess(request, 'read'));
    this.assignments.set(request, assignment);
    return assignment;
  }

  /** The scope of an assignment's one partition: where a conditional create looks for matches. */
  scopeOfAssignment(assignment: PartitionAssignment): PartitionScope {
    const { partition, types, access } = assignment;
    return brand<PartitionScope>({ partitions: [partition], all: false, types, ...(access && { access }) });
  }

  /** What the maker of a request may see of the one partition that it writes to. */
  scopeOfWrite(request: RequestDetails, partition: PartitionId): PartitionScope {
    const access = scopedAccess(request, request.interaction);
    return brand<PartitionScope>({
      partitions: [partition],
      all: false,
      types: null,
      ...(access && { access }),
    });
  }

  /** Where the next version of a stored resource goes: partition and date stay what they are. */
  assignmentOf(current: StoredVersion): PartitionAssignment {
    const { partition, partitionDate: date } = current;
    return brand<PartitionAssignment>({ partition, date, types: null });
  }

  /** A scope that was stored with a job: the decision was made when the job was started. */
  scopeOfJob(partition: PartitionId): PartitionScope {
    return brand<PartitionScope>({ partitions: [partition], all: false, types: null });
  }

  /** What is kept in DEFAULT for everybody, as every tenant may read it. */
  scopeOfDefinitions(): PartitionScope {
    const types = this.options.enabled ? NON_PARTITIONABLE_TYPES : null;
    return brand<PartitionScope>({ partitions: [DEFAULT_PARTITION_ID], all: false, types });
  }

  /** The same for what the server itself writes. */
  assignmentOfJob(partition: PartitionId): PartitionAssignment {
    return brand<PartitionAssignment>({ partition, date: null, types: null });
  }

  /** What a request would be decided to, and by whom; SELECTED hooks are asked too and may refuse. */
  async explain(
    request: RequestDetails,
    target: ReadTarget,
    resource: Resource | undefined,
  ): Promise<PartitionExplanation> {
    const pointcut = this.pointcutFor(resource ? 'create' : 'read');
    const event = { request, target, ...(resource ? { resource } : {}) };
    const decision = await this.hooks.decideNamed(pointcut, event as never);
    const choice = this.options.enabled ? decision.answer : DEFAULT_CHOICE;
    const type = resource?.resourceType ?? target.resourceType;
    if (choice === undefined && !(resource && isPinned(type))) throw this.undecided(pointcut);
    const decided = choice ?? DEFAULT_CHOICE;
    const selection = resource
      ? this.selectFor(request, decided)
      : this.selectToRead(request, { ...target, resourceType: type }, decided);
    if (resource) this.writable(resource.resourceType, selection);
    await this.announce(request, target, selection);
    return { pointcut, by: decision.by, asked: decision.asked, ...selection };
  }

  private async rememberedRead(request: RequestDetails): Promise<PartitionScope> {
    const known = this.scopes.get(request);
    if (known) return known;
    const scope = await this.resolveReadOf(request, targetOf(request));
    this.scopes.set(request, scope);
    return scope;
  }

  private identifyRead(
    request: RequestDetails,
    target: ReadTarget,
  ): MaybePromise<PartitionChoice | undefined> {
    return this.pointcutFor('read') === 'STORAGE_PARTITION_IDENTIFY_ANY'
      ? this.hooks.decide('STORAGE_PARTITION_IDENTIFY_ANY', { request })
      : this.hooks.decide('STORAGE_PARTITION_IDENTIFY_READ', { request, target });
  }

  private scopeOf(
    request: RequestDetails,
    target: ReadTarget,
    choice: PartitionChoice | undefined,
  ): MaybePromise<PartitionScope> {
    if (choice === undefined) throw this.undecided(this.pointcutFor('read'));
    const selection = this.selectToRead(request, target, choice);
    const announced = this.announce(request, target, selection);
    const access = scopedAccess(request, target.interaction);
    return announced ? announced.then(() => toScope(selection, access)) : toScope(selection, access);
  }

  private async identifyCreate(request: RequestDetails, resource: Resource): Promise<PartitionChoice> {
    const pointcut = this.pointcutFor('create');
    const choice =
      pointcut === 'STORAGE_PARTITION_IDENTIFY_ANY'
        ? await this.hooks.decide(pointcut, { request })
        : await this.hooks.decide('STORAGE_PARTITION_IDENTIFY_CREATE', { request, resource });
    if (choice !== undefined) return choice;
    if (isPinned(resource.resourceType)) return DEFAULT_CHOICE;
    throw this.undecided(pointcut);
  }

  private pointcutFor(kind: 'read' | 'create'): IdentifyPointcut {
    if (this.hooks.has('STORAGE_PARTITION_IDENTIFY_ANY')) return 'STORAGE_PARTITION_IDENTIFY_ANY';
    return kind === 'read' ? 'STORAGE_PARTITION_IDENTIFY_READ' : 'STORAGE_PARTITION_IDENTIFY_CREATE';
  }

  private undecided(pointcut: IdentifyPointcut): FhirError {
    const asked = this.hooks.describe(pointcut);
    const who = asked.length === 0 ? 'no interceptor is registered for it' : `asked: ${asked.join(', ')}`;
    return new FhirError('PARTITION_NOT_DECIDED', `Nobody answered ${pointcut}; ${who}.`);
  }

  /** @param reads - the type that is only read */
  private selectFor(request: RequestDetails, choice: PartitionChoice, reads?: string): Selection {
    if (this.options.grants === 'ignored') return this.select(choice);
    // Without partitions there is nothing to grant, but somebody must have been let in.
    if (!this.options.enabled) return knownPrincipal(request) && this.select(choice);
    return granted(request, reads, () => this.select(choice));
  }

  private selectToRead(request: RequestDetails, target: ReadTarget, choice: PartitionChoice): Selection {
    const changes = CHANGES.has(target.interaction);
    const selection = this.pin(
      target,
      this.selectFor(request, choice, changes ? undefined : target.resourceType),
    );
    if (changes && this.options.enabled && this.options.grants === 'judged')
      assertMayChange(request, selection);
    return selection;
  }

  /** What is open to everybody tells nothing about tenants. */
  private isPublic(request: RequestDetails): boolean {
    return (
      this.options.grants === 'judged' &&
      request.interaction === 'capabilities' &&
      principalOf(request) === undefined
    );
  }

  private select(choice: PartitionChoice): Selection {
    switch (choice.by) {
      case 'all':
        return { partitions: this.directory.list(), all: true, date: null, types: null };
      case 'default':
        return this.selectDefault(choice);
      case 'name':
        return this.selection(
          choice.names.map((name) => this.named(name)),
          choice.date,
        );
      case 'id':
        return this.selection(
          choice.ids.map((id) => this.known(id)),
          choice.date,
        );
    }
  }

  /** Whoever was to be asked for a partition of its own gets no more of DEFAULT than everybody does. */
  private selectDefault({ insteadOf, date }: DefaultChoice): Selection {
    const own = this.known(DEFAULT_PARTITION_ID);
    const selection = this.selection([own], date);
    if (insteadOf === undefined) return selection;
    const asked = typeof insteadOf === 'string' ? this.named(insteadOf) : this.known(insteadOf);
    return asked.id === own.id ? selection : { ...selection, types: NON_PARTITIONABLE_TYPES };
  }

  private selection(partitions: readonly Partition[], date: string | undefined): Selection {
    if (date !== undefined && (!CALENDAR_DATE.test(date) || Number.isNaN(Date.parse(date)))) {
      throw new Error(`A partition date must be YYYY-MM-DD, not '${date}'.`);
    }
    return { partitions: distinct(partitions), all: false, date: date ?? null, types: null };
  }

  private named(name: string): Partition {
    const partition = this.directory.byName(name);
    if (partition) return partition;
    throw new FhirError('UNKNOWN_PARTITION', `There is no partition '${name.slice(0, 200)}'.`);
  }

  private known(id: number): Partition {
    const partition = this.directory.byId(id);
    if (partition) return partition;
    if (this.options.unnamed && Number.isInteger(id)) return { id: id as PartitionId, name: String(id) };
    throw new FhirError('UNKNOWN_PARTITION', `There is no partition with id ${id}.`);
  }

  /** Non-partitionable types live in DEFAULT, through whichever tenant they are read. */
  private pin({ resourceType, interaction }: ReadTarget, selection: Selection): Selection {
    if (!isPinned(resourceType) || selection.all) return selection;
    const own = selection.partitions.some(({ id }) => id === DEFAULT_PARTITION_ID);
    const types = own ? selection.types : NON_PARTITIONABLE_TYPES;
    const pinned = this.known(DEFAULT_PARTITION_ID);
    if (!this.options.alsoHeld.has(resourceType)) return { ...selection, partitions: [pinned], types };
    // A tenant reads what is there for everybody too, but changes its own alone.
    if (own || CHANGES.has(interaction)) return selection;
    return { ...selection, partitions: [...selection.partitions, pinned], types };
  }

  /** The one partition that was selected for something new. */
  private writable(resourceType: string, { partitions, all }: Selection): Partition {
    const [partition, ...others] = partitions;
    if (all || partition === undefined || others.length > 0) {
      throw new FhirError(
        'PARTITION_REQUIRED_ONE',
        'A new resource must be written to exactly one partition.',
      );
    }
    if (!isPinned(resourceType) || this.options.alsoHeld.has(resourceType)) return partition;
    if (partition.id === DEFAULT_PARTITION_ID) return partition;
    throw new FhirError('NOT_PARTITIONABLE', `${resourceType} can only be stored in the DEFAULT partition.`);
  }

  /** Undefined where nobody has to be waited for. */
  private announce(
    request: RequestDetails,
    target: ReadTarget,
    selection: Selection,
  ): Promise<unknown> | undefined {
    request.attributes.set(
      SELECTED_PARTITIONS,
      selection.partitions.map(({ id }) => id),
    );
    const { partitions, all } = selection;
    const verdict = this.hooks.veto('STORAGE_PARTITION_SELECTED', { request, target, partitions, all });
    return isPromise(verdict) ? verdict : undefined;
  }
}

/** Interactions that change what they find. */
const CHANGES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

const DEFAULT_CHOICE: PartitionChoice = { by: 'default' };

function distinct(partitions: readonly Partition[]): readonly Partition[] {
  return [...new Map(partitions.map((partition) => [partition.id, partition])).values()];
}

/** A write may have to be planned anew, and an entry of a bundle is looked at before it is handled. */
function isAskedAgain({ method, parent }: RequestDetails): boolean {
  return parent !== undefined || (method !== 'GET' && method !== 'HEAD');
}

/** What an interaction is about, from its request. */
export function targetOf(request: RequestDetails): ReadTarget {
  const { interaction, resourceType, resourceId, operation } = request;
  return { interaction, resourceType, id: resourceId, operation };
}

function isPinned(resourceType: string | undefined): resourceType is string {
  return resourceType !== undefined && NON_PARTITIONABLE_TYPES.has(resourceType);
}

function toScope({ partitions, all, types }: Selection, access: ScopedAccess | undefined): PartitionScope {
  const ids = partitions.map(({ id }) => id);
  return brand<PartitionScope>({ partitions: ids, all, types, ...(access && { access }) });
}

function toAssignment(
  partition: PartitionId,
  { date, types }: Selection,
  access: ScopedAccess | undefined,
): PartitionAssignment {
  return brand<PartitionAssignment>({ partition, date, types, ...(access && { access }) });
}

/** The one place where a scope or an assignment comes to be. */
function brand<Value>(value: Omit<Value, symbol>): Value {
  return value as Value;
}
