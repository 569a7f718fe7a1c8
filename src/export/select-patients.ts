import type { OutcomeIssue } from '../model/resource.js';
import type { PartitionScope } from '../model/partition.js';
import type { PartitionSnapshot } from '../storage/export-store.js';
import type { ExportRequest } from './export-request.js';
import { type GroupMembers, readGroupMembers } from './group-members.js';

/** Patients that alone are exported. */
export interface SelectedPatients extends Omit<GroupMembers, 'patients'> {
  /** Patients of whom what changed since then is exported. */
  readonly early: readonly SelectedPatient[];
  /** Those who became members since then: they are exported in full. */
  readonly late: readonly SelectedPatient[];
  /** Ids of all of them, deleted ones included. */
  readonly ids: ReadonlySet<string>;
}

/** A patient that exists. */
export interface SelectedPatient {
  readonly id: string;
  readonly rowId: number;
}

/** Values of one statement. */
const CHUNK = 500;

/** The patients that an export is limited to; null: it is about all of the partition. */
export async function selectPatients(
  request: ExportRequest,
  snapshot: PartitionSnapshot,
  scope: PartitionScope,
): Promise<SelectedPatients | null> {
  const { level, patients: asked } = request;
  if (level.kind === 'group') {
    const group = await groupOf(level.id, request, { snapshot, scope });
    const wanted = asked === null ? group.patients : only(group.patients, asked);
    return withRows({ ...group, patients: wanted }, snapshot, scope);
  }
  if (asked === null) return null;
  const patients = new Map(asked.map((id) => [id, 'early' as const]));
  return withRows({ patients, issues: [] }, snapshot, scope);
}

function groupOf(
  id: string,
  { base, since }: ExportRequest,
  { snapshot, scope }: { readonly snapshot: PartitionSnapshot; readonly scope: PartitionScope },
): Promise<GroupMembers> {
  const read = async (group: string): Promise<string | undefined> => {
    const [found] = await snapshot.resources.read(scope, 'Group', group);
    return found?.text ?? undefined;
  };
  return readGroupMembers(id, { read, base, since, at: snapshot.at });
}

function only(members: GroupMembers['patients'], asked: readonly string[]): GroupMembers['patients'] {
  const wanted = new Set(asked);
  return new Map([...members].filter(([id]) => wanted.has(id)));
}

async function withRows(
  { patients, issues }: GroupMembers,
  snapshot: PartitionSnapshot,
  scope: PartitionScope,
): Promise<SelectedPatients> {
  const found: SelectedPatient[] = [];
  for (const ids of chunksOf([...patients.keys()])) {
    const plan = { type: 'Patient', where: { kind: 'ids', ids }, sort: [] } as const;
    const rows = await snapshot.search.page(scope, plan, { count: ids.length, texts: 'left out' });
    found.push(...rows.map(({ id, rowId }) => ({ id, rowId })));
  }
  const joined = (when: 'early' | 'late'): readonly SelectedPatient[] =>
    found.filter(({ id }) => patients.get(id) === when);
  return {
    early: joined('early'),
    late: joined('late'),
    ids: new Set(patients.keys()),
    issues: [...issues, ...missing(patients, found)],
  };
}

function missing(
  patients: GroupMembers['patients'],
  found: readonly SelectedPatient[],
): readonly OutcomeIssue[] {
  const count = patients.size - found.length;
  if (count === 0) return [];
  const diagnostics = `${count} of the patients do not exist any more.`;
  return [{ severity: 'information', code: 'informational', diagnostics }];
}

/** At most as many as one statement takes, again and again. */
export function chunksOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / CHUNK);
  return Array.from({ length: count }, (_, at) => items.slice(at * CHUNK, (at + 1) * CHUNK));
}
