import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { StagedBlob } from '../storage/blob-store.js';
import { type Change, type DeleteChange, WriteConflictError, type WriteConflict } from '../storage/store.js';
import { unknownTarget } from './incoming.js';
import type { ServerParts } from './server-parts.js';

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
  /** Content that was staged for the resource. */
  readonly blob?: StagedBlob;
}

/** What an earlier attempt has taught: a claim whose holder no longer matches the condition. */
export interface Attempt {
  readonly staleHolder: number | undefined;
  /** Deletes that a hook lets pass although others refer to the resource. */
  readonly ignoredConflicts: ReadonlySet<string>;
}

export const FIRST_ATTEMPT: Attempt = { staleHolder: undefined, ignoredConflicts: new Set() };

/** Concurrent writers of one resource take turns; each turn one of them gets through. */
const MAX_ATTEMPTS = 200;

/**
 * Plans and stores. What another request changed in between makes it plan anew, so that a plan's decisions
 * always hold for what is replaced.
 */
export async function executeWrites<Plan extends { readonly writes: readonly PlannedWrite[] }>(
  server: ServerParts,
  request: RequestDetails,
  plan: (attempt: Attempt) => Promise<Plan>,
): Promise<Plan> {
  let attempt = FIRST_ATTEMPT;
  for (let turn = 1; ; turn++) {
    const planned = await plan(attempt);
    try {
      await store(server, planned.writes);
      return planned;
    } catch (error) {
      if (!(error instanceof WriteConflictError)) throw error;
      attempt = await afterConflict(server, request, { conflict: error.conflict, attempt, turn });
    }
  }
}

async function store(server: ServerParts, writes: readonly PlannedWrite[]): Promise<void> {
  const changes = writes.flatMap(({ change }) => change ?? []);
  if (changes.length === 0) return;
  const hooks = writes.flatMap(({ beforeCommit }) => beforeCommit ?? []);
  const blobs = writes.flatMap(({ blob }) => blob ?? []);
  const unit = { changes, ...(blobs.length === 0 ? {} : { attaches: blobs }) };
  if (hooks.length === 0) return server.resources.write(unit);
  await server.resources.write({
    ...unit,
    beforeCommit: async () => {
      for (const hook of hooks) await hook();
    },
  });
}

async function afterConflict(
  server: ServerParts,
  request: RequestDetails,
  { conflict, attempt, turn }: { conflict: WriteConflict; attempt: Attempt; turn: number },
): Promise<Attempt> {
  switch (conflict.kind) {
    case 'reference': {
      const { type, id, expression } = conflict.reference;
      throw unknownTarget(`${type}/${id}`, expression);
    }
    case 'id-taken':
      throw new FhirError('DUPLICATE', 'The id is taken.');
    case 'referenced':
      return ignoring(attempt, await decideOnReferrers(server, request, conflict));
    case 'version':
    case 'claim':
      if (turn >= MAX_ATTEMPTS) throw tooContended();
      return { ...attempt, staleHolder: conflict.kind === 'claim' ? conflict.holder : attempt.staleHolder };
  }
}

/** Asks the hooks whether the delete may go on; answers its key if so. */
async function decideOnReferrers(
  server: ServerParts,
  request: RequestDetails,
  { change, referrers }: Extract<WriteConflict, { kind: 'referenced' }>,
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
  const who = referrers.map(({ type, id }) => `${type}/${id}`).join(', ');
  throw new FhirError('DELETE_CONFLICT', `${current.type}/${current.id} is still referred to by ${who}.`);
}

function ignoring(attempt: Attempt, key: string): Attempt {
  return { ...attempt, ignoredConflicts: new Set([...attempt.ignoredConflicts, key]) };
}

function tooContended(): FhirError {
  const message = 'The resource is being changed by many requests at once.';
  return new FhirError('VERSION_CONFLICT', message, { headers: { 'Retry-After': '1' } });
}
