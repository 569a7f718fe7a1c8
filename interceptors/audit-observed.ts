import {
  compartmentTypes,
  createSearchParameterRegistry,
  DEFAULT_PARTITION_ID,
  patientCompartmentMembers,
} from '../src/index.js';
import type {
  AccessedResource,
  HookEvent,
  Partition,
  PartitionId,
  RequestDetails,
  Resource,
} from '../src/index.js';

/** Ids of patients, as many as are kept, and how many more there were. */
export interface SeenPatients {
  readonly ids: ReadonlySet<string>;
  readonly more: number;
}

/** What becomes known of a request while it is served. */
interface Observed {
  /** The one partition that was asked; undefined: none or several. */
  partition: Partition | undefined;
  readonly patients: Set<string>;
  readonly morePatients: Set<string>;
  /** Attributes of those requests whose events are stored with what they write. */
  recorded: ReadonlySet<object>;
}

/** Patients beyond those that are named are told apart up to here. */
const MOST_COUNTED = 10_000;

/** Follows requests, by their attributes: a request with a body is another object than before. */
export class AuditObservations {
  private readonly requests = new WeakMap<object, Observed>();
  private readonly compartment = new Set(compartmentTypes('Patient'));
  private registry: ReturnType<typeof createSearchParameterRegistry> | undefined;

  constructor(private readonly mostPatients: number) {}

  select({ request, partitions, all }: HookEvent<'STORAGE_PARTITION_SELECTED'>): void {
    this.of(request).partition = all || partitions.length !== 1 ? undefined : partitions[0];
  }

  /** Patients of other partitions are not named. */
  see(request: RequestDetails, shown: readonly AccessedResource[]): void {
    const home = this.homeOf(request);
    for (const one of shown) {
      if (one.partition === home && this.compartment.has(one.type))
        this.name(request, one.type === 'Patient' ? [one.id] : this.patientsOf(one.resource()));
    }
  }

  /** Ids of the Patients that a resource belongs to. */
  patientsOf(resource: Resource): readonly string[] {
    if (!this.compartment.has(resource.resourceType)) return [];
    if (resource.resourceType === 'Patient') return resource.id === undefined ? [] : [resource.id];
    this.registry ??= createSearchParameterRegistry();
    return patientCompartmentMembers(resource, this.registry);
  }

  patientsSeen(request: RequestDetails): SeenPatients {
    const { patients, morePatients } = this.of(request);
    return { ids: patients, more: morePatients.size };
  }

  partitionOf(request: RequestDetails): Partition | undefined {
    return this.of(request).partition;
  }

  /** Where events of the request belong. */
  homeOf(request: RequestDetails): PartitionId {
    return this.partitionOf(request)?.id ?? DEFAULT_PARTITION_ID;
  }

  /** These, and none that were noted before for `request`, have their events in the transaction. */
  noteRecorded(request: RequestDetails, writers: readonly RequestDetails[]): void {
    this.of(request).recorded = new Set(writers.map(({ attributes }) => attributes));
  }

  isRecorded(request: RequestDetails): boolean {
    const { attributes, parent } = request;
    if (this.of(request).recorded.has(attributes)) return true;
    return parent !== undefined && this.of(parent).recorded.has(attributes);
  }

  private name(request: RequestDetails, ids: readonly string[]): void {
    const { patients, morePatients } = this.of(request);
    for (const id of ids) {
      if (patients.has(id)) continue;
      if (patients.size < this.mostPatients) patients.add(id);
      else if (morePatients.size < MOST_COUNTED) morePatients.add(id);
    }
  }

  /** Entries of a bundle begin with the partition of the bundle. */
  private of({ attributes, parent }: RequestDetails): Observed {
    const known = this.requests.get(attributes);
    if (known) return known;
    const partition = parent && this.of(parent).partition;
    const begun: Observed = {
      partition,
      patients: new Set(),
      morePatients: new Set(),
      recorded: new Set(),
    };
    this.requests.set(attributes, begun);
    return begun;
  }
}
