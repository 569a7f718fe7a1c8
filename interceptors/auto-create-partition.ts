import {
  ALL_PARTITIONS_NAME,
  DEFAULT_PARTITION_NAME,
  DESCRIBED_ONLY,
  FhirError,
  isTenantGranted,
  principalOf,
} from '../src/index.js';
import type {
  Bundle,
  HookEvent,
  Interceptor,
  Partition,
  PartitionChoice,
  RequestDetails,
} from '../src/index.js';
import { withChangedChoice } from './changed-choice.js';

/** The part of a server's `partitions` that is needed here. */
export interface CreatablePartitions {
  /** @throws FhirError UNKNOWN_PARTITION */
  read(key: { readonly name: string }): Partition;
  /** @throws FhirError INVALID_PARTITION, PARTITION_EXISTS */
  create(partition: { readonly name: string }, request?: RequestDetails): Promise<Partition>;
}

/** Options of `autoCreatePartition`. */
export interface AutoCreatePartitionOptions {
  /** The server's partitions; a function, since interceptors are made before the server. */
  readonly partitions: () => CreatablePartitions;
  /** Which names may be created, for example those of a list; every valid one if left out. */
  readonly allow?: (name: string, request: RequestDetails) => boolean;
}

const ATTEMPTS = 3;

/**
 * Registers the partition that another interceptor names, when it is first written to: by create, update, or
 * a batch or transaction that holds one. Reads of an unknown partition stay 404, and names that are not valid
 * are 400. First writes at the same moment make one partition.
 *
 * ```ts
 * autoCreatePartition(requestTenantPartition(), { partitions: () => server.partitions });
 * ```
 * @throws Error if the interceptor does not hook STORAGE_PARTITION_IDENTIFY_CREATE.
 */
export function autoCreatePartition(
  interceptor: Interceptor,
  options: AutoCreatePartitionOptions,
): Interceptor {
  const ensure = inTurn((name, request) => createUnlessKnown(options, name, request));
  const create = async (choice: PartitionChoice, request: RequestDetails): Promise<PartitionChoice> => {
    if (request.attributes.has(DESCRIBED_ONLY)) return choice;
    for (const name of namesIn(choice)) {
      if (!isKnown(options.partitions(), name)) await ensure(name, request);
    }
    return choice;
  };
  return withChangedChoice(interceptor, {
    STORAGE_PARTITION_IDENTIFY_CREATE: (choice, { request }) => create(choice, request),
    STORAGE_PARTITION_IDENTIFY_READ: (choice, event) =>
      isFirstWrite(event) ? create(choice, event.request) : choice,
  });
}

/** An update and a bundle look where they write before anything is created. */
function isFirstWrite({ request, target }: HookEvent<'STORAGE_PARTITION_IDENTIFY_READ'>): boolean {
  if (target.interaction === 'update') return true;
  if (target.interaction !== 'batch' && target.interaction !== 'transaction') return false;
  const { entry } = (request.body ?? {}) as Partial<Bundle>;
  return Array.isArray(entry) && entry.some(isCreating);
}

function isCreating(entry: unknown): boolean {
  const { request } = (entry ?? {}) as { readonly request?: { readonly method?: unknown } };
  return request?.method === 'POST' || request?.method === 'PUT';
}

function namesIn(choice: PartitionChoice): readonly string[] {
  if (choice.by === 'default') return typeof choice.insteadOf === 'string' ? [choice.insteadOf] : [];
  // Several partitions are no place to write to: the server refuses them, and nothing may be left behind.
  return choice.by === 'name' && choice.names.length === 1 ? choice.names : [];
}

function isKnown(partitions: CreatablePartitions, name: string): boolean {
  try {
    return partitions.read({ name }).name === name;
  } catch (error) {
    if (error instanceof FhirError && error.code === 'UNKNOWN_PARTITION') return false;
    throw error;
  }
}

async function createUnlessKnown(
  { partitions, allow }: AutoCreatePartitionOptions,
  name: string,
  request: RequestDetails,
): Promise<void> {
  if (name === DEFAULT_PARTITION_NAME || name === ALL_PARTITIONS_NAME) return;
  for (let attempt = 1; !isKnown(partitions(), name); attempt++) {
    if (!isGrantedTo(request, name) || (allow && !allow(name, request))) return;
    try {
      await partitions().create({ name }, request);
    } catch (error) {
      // Somebody else may have taken the same name or the same next id in the meantime.
      const taken = error instanceof FhirError && error.code === 'PARTITION_EXISTS';
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Whoever may not have a partition does not make it either; the server refuses the request afterwards. */
function isGrantedTo(request: RequestDetails, name: string): boolean {
  const principal = principalOf(request);
  return principal === undefined || isTenantGranted(principal.tenants, name);
}

type Ensure = (name: string, request: RequestDetails) => Promise<void>;

/** One after the other, whether or not the one before failed. */
function inTurn(ensure: Ensure): Ensure {
  let last: Promise<unknown> = Promise.resolve();
  return (name, request) => {
    const next = last.then(() => ensure(name, request));
    last = next.catch(() => undefined);
    return next;
  };
}
