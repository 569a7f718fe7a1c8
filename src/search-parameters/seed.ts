import { searchParameterResources } from '../fhir/definitions.js';
import { extractIndexValues } from '../fhir/extract.js';
import { stringifyJson } from '../fhir/json.js';
import { withServerMeta } from '../fhir/meta.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { PartitionAssignment, PartitionScope } from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import type { Storage } from '../storage/storage.js';
import { type CreateChange, WriteConflictError } from '../storage/store.js';
import { TimeSlice } from '../storage/time-slice.js';
import { PUBLISHED } from './official-parameters.js';

/** What seeding works with. The scope and the assignment are DEFAULT's. */
export interface SeedParts {
  readonly storage: Pick<Storage, 'resources' | 'setting' | 'settings'>;
  readonly scope: PartitionScope;
  readonly assignment: PartitionAssignment;
  readonly registry: SearchParameterRegistry;
}

/** Tells that a database has the parameters of this version of FHIR, those included that were deleted since. */
const SEEDED = 'official-search-parameters';
const VERSION = '4.0.1';

/**
 * Makes R4's own search parameters resources of DEFAULT: all in one transaction, once in the life of a database. Where
 * several servers do it at once, one succeeds; one that was killed leaves nothing behind, or all of them.
 */
export async function seedOfficialParameters(parts: SeedParts): Promise<void> {
  const { storage } = parts;
  if ((await storage.settings(SEEDED)).has(SEEDED)) return;
  await writeAll(parts, PUBLISHED);
  await storage.setting(SEEDED, () => VERSION);
}

/** DEFAULT may have been exported by a server that nobody asked for parameters: then they are dated after that. */
async function writeAll(parts: SeedParts, updated: number): Promise<void> {
  const changes = await toChanges(parts, updated);
  try {
    await parts.storage.resources.write({ changes });
  } catch (error) {
    if (!(error instanceof WriteConflictError)) throw error;
    const { conflict } = error;
    if (conflict.kind === 'late') await writeAll(parts, conflict.horizon + 1);
    else await writeMissing(parts, changes);
  }
}

/** Another server was faster; or a parameter was loaded under its own id, and stays as it is. */
async function writeMissing({ storage, scope }: SeedParts, changes: readonly CreateChange[]): Promise<void> {
  const missing: CreateChange[] = [];
  for (const change of changes) {
    const holders = await storage.resources.read(scope, change.type, change.id);
    if (holders.length === 0) missing.push(change);
  }
  if (missing.length > 0) await storage.resources.write({ changes: missing });
}

async function toChanges(
  { assignment, registry }: SeedParts,
  updated: number,
): Promise<readonly CreateChange[]> {
  const slice = new TimeSlice();
  const changes: CreateChange[] = [];
  for (const published of searchParameterResources()) {
    changes.push(toChange(published, { registry, assignment, updated }));
    if (slice.isOver()) await slice.yield();
  }
  return changes;
}

function toChange(
  published: Resource,
  {
    registry,
    assignment,
    updated,
  }: Pick<SeedParts, 'registry' | 'assignment'> & { readonly updated: number },
): CreateChange {
  const { resourceType: type, id = '' } = published;
  const resource = withServerMeta(published, { id, version: 1, updated });
  return {
    kind: 'create',
    assignment,
    type,
    id,
    updated,
    text: stringifyJson(resource),
    index: extractIndexValues(resource, registry),
    references: [],
  };
}
