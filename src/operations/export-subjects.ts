import type { ParsedExport } from '../export/parse-export.js';
import { readGroupMembers } from '../export/group-members.js';
import { chunksOf } from '../export/select-patients.js';
import { notFound } from '../interactions/find.js';
import { assertGranted } from '../interactions/permission.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { accessOf } from '../model/access.js';
import type { PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';

/**
 * The group and the patients that an export names must be there; those of other partitions are not.
 * @throws FhirError NOT_FOUND, FORBIDDEN where the token reads no groups at all
 */
export async function assertSubjects(
  server: ServerParts,
  scope: PartitionScope,
  { request, parsed }: { readonly request: RequestDetails; readonly parsed: ParsedExport },
): Promise<void> {
  const { level, patients } = parsed;
  const access = accessOf(request);
  if (level.kind === 'group' && access !== null) assertGranted(access, 'read', 'Group');
  const read = async (type: string, id: string): Promise<string | undefined> =>
    (await server.resources.read(scope, type, id)).find(({ deleted }) => !deleted)?.text ?? undefined;
  if (level.kind === 'group' && (await read('Group', level.id)) === undefined)
    throw notFound('Group', level.id);
  if (patients === null) return;
  const source = { base: request.base, at: server.clock(), since: null };
  const members =
    level.kind === 'group'
      ? await readGroupMembers(level.id, { ...source, read: (id) => read('Group', id) })
      : undefined;
  const present = await presentPatients(server, scope, patients);
  for (const id of patients) {
    const isMember = members === undefined || members.patients.has(id);
    if (!isMember || !present.has(id)) throw notFound('Patient', id);
  }
}

async function presentPatients(
  server: ServerParts,
  scope: PartitionScope,
  patients: readonly string[],
): Promise<ReadonlySet<string>> {
  const present = new Set<string>();
  for (const ids of chunksOf(patients)) {
    const plan = { type: 'Patient', where: { kind: 'ids', ids }, sort: [] } as const;
    for (const { id } of await server.searcher.matching(scope, plan, ids.length)) present.add(id);
  }
  return present;
}
