import type { ParsedExport } from '../export/parse-export.js';
import { readGroupMembers } from '../export/group-members.js';
import { notFound } from '../interactions/find.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';

/**
 * The group and the patients that an export names must be there; those of other partitions are not.
 * @throws FhirError NOT_FOUND
 */
export async function assertSubjects(
  server: ServerParts,
  scope: PartitionScope,
  { request, parsed }: { readonly request: RequestDetails; readonly parsed: ParsedExport },
): Promise<void> {
  const { level, patients } = parsed;
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
  for (const id of patients) {
    const isMember = members === undefined || members.patients.has(id);
    if (!isMember || (await read('Patient', id)) === undefined) throw notFound('Patient', id);
  }
}
