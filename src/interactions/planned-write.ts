import { accessOf, isWide } from '../model/access.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { OutcomeIssue, Resource } from '../model/resource.js';
import type { StagedBlob } from '../storage/blob-store.js';
import { partitionOfChange } from '../storage/partition-usage.js';
import { type Change, type DeleteChange, WriteConflictError, type WriteConflict } from '../storage/store.js';
import { atEntry } from './entry-error.js';
import { unknownTarget } from './incoming.js';
import { withRecords } from './records.js';
import {
  admitParameterWrites,
  findJudges,
  partitionsOf,
  type Judges,
  noticingParameterWrites,
} from './search-parameter-writes.js';
import { announceUsage, quotaExceeded, quotasOf } from './quotas.js';
import type { ServerParts } from './server-parts.js';
import { claimUniques } from './unique-combinations.js';

/** The state of a resource after a write, or the one that was found instead of writing. */
export interface WriteOutcome {
  readonly status: 200 | 201 | 204;
  readonly type: string;
  readonly id: string;
  /** Undefined where nothing was deleted. */
  readonly version: number | undefined;
  readonly updated: number | undefined;
  readonly text: string | null;
  /** True where the resource is pinned to DEFAULT and its URL is DEFAULT's. */
  readonly pinned: boolean;
  /** What the client is told besides. */
  readonly warnings?: readonly OutcomeIssue[];
}

/** A write that is decided and computed, but not yet stored. */
export interface PlannedWrite {
  /** Undefined: nothing is to be stored, `outcome` says what was found. */
  readonly change: Change | undefined;
  /** PRECOMMIT hooks; runs inside the transaction. */
  readonly beforeCommit: (() => Promise<void>) | undefined;
  readonly outcome: WriteOutcome;
  /** The resource as it will be stored; undefined for a delete. */
  readonly resource: Resource | undefined;
  /** The transaction's entry that it answers, where that is not the request itself. */
  readonly request?: RequestDetails;
  /** Position of the transaction's entry that it answers; errors name it. */
  readonly entry?: number;
  /** Content that was staged for the resource. */
  readonly blob?: StagedBlob;
}

/** What earlier attempts have taught. */
export interface Attempt {
  /** Row ids by `Type?condition`: holders of claims that no longer match the condition. */
  readonly staleHolders: ReadonlyMap<string, number>;
  /** Deletes that a hook lets pass although others refer to the resource. */
  readonly ignoredConflicts: ReadonlySet<string>;
}

export const FIRST_ATTEMPT: Attempt = { staleHolders: new Map(), ignoredConflicts: new Set() };

/** Concurrent writers of one resource take turns; each turn one of them gets through. */
const MAX_ATTEMPTS = 200;

/** Plans and stores, with what interceptors want to be stored besides: see `attemptWrites`. */
export async function executeWrites<Plan extends { readonly writes: readonly PlannedWrite[] }>(
  server: ServerParts,
  request: RequestDetails,
  plan: (attempt: Attempt) => Promise<Plan>,
): Promise<Plan> {
  const { own } = await attemptWrites(server, {
    request,
    plan: async (attempt) => {
      const planned = await plan(attempt);
      return { own: planned, writes: await withRecords(server, request, planned.writes) };
    },
    onReferrers: (conflict) => decideOnReferrers(server, request, conflict),
  });
  return own;
}

/** Writes that are planned until they can be stored. */
export interface Attempted<Plan> {
  /** Who asks for them, and has to keep quotas; undefined: the server itself, which has not. */
  readonly request?: RequestDetails;
  readonly plan: (attempt: Attempt) => Promise<Plan>;
  /** Whether a delete may go on although others refer to the resource; answers its key if so. */
  readonly onReferrers: (conflict: ReferencedConflict) => Promise<string>;
}

type ReferencedConflict = Extract<WriteConflict, { readonly kind: 'referenced' }>;

/**
 * Plans and stores. What another request changed in between makes it plan anew, so that a plan's decisions
 * always hold for what is replaced.
 */
export async function attemptWrites<Plan extends { readonly writes: readonly PlannedWrite[] }>(
  server: ServerParts,
  { request, plan, onReferrers }: Attempted<Plan>,
): Promise<Plan> {
  let attempt = FIRST_ATTEMPT;
  for (let turn = 1; ; turn++) {
    const { planned, judges } = await planFresh(server, () => plan(attempt));
    const admitted = judges.size === 0 ? planned.writes : await admitParameterWrites(planned.writes, judges);
    const writes = await claimUniques(server, admitted, attempt);
    try {
      if (judges.size === 0) await store(server, request, writes);
      else await noticingParameterWrites(server, judges, () => store(server, request, writes));
      return planned;
    } catch (error) {
      if (!(error instanceof WriteConflictError)) throw error;
      const { conflict } = error;
      const { entry } = writes.find(({ change }) => change === conflict.change) ?? {};
      const next = afterConflict(server, { conflict, attempt, turn }, onReferrers);
      attempt = entry === undefined ? await next : await atEntry(entry, () => next);
    }
  }
}

/**
 * A plan whose index values are made by the search parameters in force now. One that changes parameters itself is
 * made by what the database holds now, so that whoever was faster is found by its conditions.
 */
async function planFresh<Plan extends { readonly writes: readonly PlannedWrite[] }>(
  server: ServerParts,
  plan: () => Promise<Plan>,
): Promise<{ readonly planned: Plan; readonly judges: Judges }> {
  const { parameters, partitionParameters } = server;
  await parameters.fresh();
  await partitionParameters.fresh();
  for (;;) {
    const inForce = parameters.current;
    const { revision } = partitionParameters;
    const planned = await plan();
    const judges = await findJudges(server, planned.writes);
    const partitions = partitionsOf(planned.writes);
    if (parameters.current === inForce && !partitionParameters.isChangedSince(revision, partitions))
      return { planned, judges };
  }
}

async function store(
  server: ServerParts,
  request: RequestDetails | undefined,
  writes: readonly PlannedWrite[],
): Promise<void> {
  const changes = writes.flatMap(({ change }) => change ?? []);
  if (changes.length === 0) return;
  const hooks = writes.flatMap(({ beforeCommit }) => beforeCommit ?? []);
  const blobs = writes.flatMap(({ blob }) => blob ?? []);
  const quotas = request === undefined ? [] : await quotasOf(server, request, changes);
  const limits = quotas.map(({ limit }) => limit);
  const unit = {
    changes,
    ...(blobs.length === 0 ? {} : { attaches: blobs }),
    ...(limits.length === 0 ? {} : { limits }),
  };
  if (hooks.length === 0) await server.resources.write(unit);
  else {
    await server.resources.write({
      ...unit,
      beforeCommit: async () => {
        for (const hook of hooks) await hook();
      },
    });
  }
  server.terminology.noticeWrites(writes.map(({ outcome }) => outcome.type));
  if (request !== undefined) await announceUsage(server, request, quotas);
}

async function afterConflict(
  server: ServerParts,
  { conflict, attempt, turn }: { conflict: WriteConflict; attempt: Attempt; turn: number },
  onReferrers: (conflict: ReferencedConflict) => Promise<string>,
): Promise<Attempt> {
  switch (conflict.kind) {
    case 'reference': {
      const { type, id, expression } = conflict.reference;
      throw unknownTarget(`${type}/${id}`, expression);
    }
    case 'id-taken':
      throw new FhirError('DUPLICATE', 'The id is taken.');
    case 'referenced':
      return ignoring(attempt, await onReferrers(conflict));
    case 'late':
      if (turn >= MAX_ATTEMPTS) throw tooContended();
      server.clock.raise(conflict.horizon + 1);
      return attempt;
    case 'quota':
      throw quotaExceeded(conflict);
    case 'uncounted':
      if (turn >= MAX_ATTEMPTS) throw tooContended();
      await server.usages.ensure(partitionOfChange(conflict.change));
      return attempt;
    case 'version':
    case 'claim':
      if (turn >= MAX_ATTEMPTS) throw tooContended();
      return conflict.kind === 'claim' ? suspecting(attempt, conflict) : attempt;
  }
}

/** Asks the hooks whether the delete may go on; answers its key if so. */
async function decideOnReferrers(
  server: ServerParts,
  request: RequestDetails,
  { change, referrers }: ReferencedConflict,
): Promise<string> {
  const { current } = change as DeleteChange;
  if (server.hooks.has('STORAGE_PRESTORAGE_DELETE_CONFLICTS')) {
    const resource = JSON.parse(current.text ?? 'null') as Resource;
    const conflicts = referrers.map(({ type, id }) => ({ type, id }));
    const event = { request, resource, conflicts };
    if ((await server.hooks.decide('STORAGE_PRESTORAGE_DELETE_CONFLICTS', event)) === 'ignore') {
      return `${current.type}/${current.id}`;
    }
  }
  const access = accessOf(request);
  if (access !== null && !isWide(access))
    throw new FhirError('DELETE_CONFLICT', `${current.type}/${current.id} is still referred to.`);
  const who = referrers.map(({ type, id }) => `${type}/${id}`).join(', ');
  throw new FhirError('DELETE_CONFLICT', `${current.type}/${current.id} is still referred to by ${who}.`);
}

/** If the holder still matches, the next plan finds it; if not, its claim is taken over. */
function suspecting(attempt: Attempt, conflict: Extract<WriteConflict, { kind: 'claim' }>): Attempt {
  const { change, condition, holder } = conflict;
  if (change.kind === 'delete') return attempt;
  const key = `${change.type}?${condition}`;
  return { ...attempt, staleHolders: new Map([...attempt.staleHolders, [key, holder]]) };
}

function ignoring(attempt: Attempt, key: string): Attempt {
  return { ...attempt, ignoredConflicts: new Set([...attempt.ignoredConflicts, key]) };
}

function tooContended(): FhirError {
  const message = 'The resource is being changed by many requests at once.';
  return new FhirError('VERSION_CONFLICT', message, { headers: { 'Retry-After': '1' } });
}
