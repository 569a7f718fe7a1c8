import { dateRange } from '../fhir/date-range.js';
import { parseStored } from '../fhir/json.js';
import { parseReference } from '../fhir/references.js';
import type { OutcomeIssue, Resource } from '../model/resource.js';

/** Where groups are read, and by what time. */
export interface GroupSource {
  /** The text of a Group; undefined where there is none, or it was deleted. */
  readonly read: (id: string) => Promise<string | undefined>;
  /** The base URL below which absolute references are the server's own. */
  readonly base: string;
  /** Milliseconds since 1970 UTC: members whose period has ended by then, or has not begun, are none. */
  readonly at: number;
  /** Whoever became a member after this time has joined late; null: nobody has. */
  readonly since: number | null;
}

/** The patients of a group. */
export interface GroupMembers {
  /** Ids of patients, and whether each has joined late. */
  readonly patients: ReadonlyMap<string, 'early' | 'late'>;
  /** What could not be followed. */
  readonly issues: readonly OutcomeIssue[];
}

const MAX_GROUPS = 10_000;
const MAX_ISSUES = 100;

/** A group that is to be looked at. */
interface Visit {
  readonly id: string;
  /** The group itself became a member after `since`, and all its members with it. */
  readonly isLate: boolean;
}

/**
 * The patients that are members of a group or of the groups in it, at any depth; a group that holds itself does no
 * harm. Whoever is a member in several ways joined when the first of them began.
 */
export async function readGroupMembers(id: string, source: GroupSource): Promise<GroupMembers> {
  const walk = new MemberWalk(source);
  const waiting: Visit[] = [{ id, isLate: false }];
  const seen = new Set<string>();
  for (let visit = waiting.shift(); visit !== undefined; visit = waiting.shift()) {
    const key = `${visit.id} ${visit.isLate}`;
    if (seen.has(key) || seen.has(`${visit.id} false`)) continue;
    seen.add(key);
    if (seen.size > MAX_GROUPS) {
      walk.report(`Group/${id} holds more than ${MAX_GROUPS} groups; the others were left out.`);
      break;
    }
    for (const inner of await walk.visit(visit)) waiting.push(inner);
  }
  return walk.members();
}

class MemberWalk {
  private readonly patients = new Map<string, 'early' | 'late'>();
  private readonly issues: OutcomeIssue[] = [];
  private unreported = 0;

  constructor(private readonly source: GroupSource) {}

  /** Notes the patients of a group; answers the groups in it. */
  async visit({ id, isLate }: Visit): Promise<readonly Visit[]> {
    const text = await this.source.read(id);
    if (text === undefined) {
      this.report(`Group/${id} does not exist; its members were left out.`);
      return [];
    }
    const { member } = parseStored(text) as Resource;
    const groups: Visit[] = [];
    for (const one of listOf(member)) {
      if (!this.isMember(one)) continue;
      const isLateMember = isLate || this.hasJoinedLate(one);
      const target = this.targetOf(one, id);
      if (target?.type === 'Patient') this.add(target.id, isLateMember);
      if (target?.type === 'Group') groups.push({ id: target.id, isLate: isLateMember });
    }
    return groups;
  }

  report(diagnostics: string): void {
    if (this.issues.length >= MAX_ISSUES) this.unreported += 1;
    else this.issues.push({ severity: 'warning', code: 'incomplete', diagnostics });
  }

  members(): GroupMembers {
    const { patients, issues, unreported } = this;
    if (unreported === 0) return { patients, issues };
    const diagnostics = `${unreported} further members could not be followed.`;
    return { patients, issues: [...issues, { severity: 'warning', code: 'incomplete', diagnostics }] };
  }

  private add(id: string, isLate: boolean): void {
    if (this.patients.get(id) !== 'early') this.patients.set(id, isLate ? 'late' : 'early');
  }

  private isMember({ inactive, period }: GroupMember): boolean {
    if (inactive === true) return false;
    const { start, end } = rangeOf(period);
    const { at } = this.source;
    return (end === undefined || end.high >= at) && (start === undefined || start.low <= at);
  }

  /** By the end of what the beginning may mean: whoever may have joined late is exported in full. */
  private hasJoinedLate({ period }: GroupMember): boolean {
    const { since } = this.source;
    const { start } = rangeOf(period);
    return since !== null && start !== undefined && start.high > since;
  }

  private targetOf({ entity }: GroupMember, group: string): { type: string; id: string } | undefined {
    const { base } = this.source;
    const text = typeof entity?.reference === 'string' ? entity.reference : '';
    const target = parseReference(text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text);
    const isKnown = target.kind === 'relative' && (target.type === 'Patient' || target.type === 'Group');
    if (isKnown) return target;
    this.report(
      `A member of Group/${group} was left out: '${text.slice(0, 200)}' is no Patient of this server.`,
    );
    return undefined;
  }
}

/** What is looked at of Group.member: nothing of it is trusted. */
interface GroupMember {
  readonly entity?: { readonly reference?: unknown };
  readonly period?: { readonly start?: unknown; readonly end?: unknown };
  readonly inactive?: unknown;
}

function listOf(member: unknown): readonly GroupMember[] {
  if (!Array.isArray(member)) return [];
  return member.filter((one): one is GroupMember => typeof one === 'object' && one !== null);
}

type Range = ReturnType<typeof dateRange>;

function rangeOf(period: GroupMember['period']): { readonly start: Range; readonly end: Range } {
  const { start, end } = period ?? {};
  return {
    start: typeof start === 'string' ? dateRange(start) : undefined,
    end: typeof end === 'string' ? dateRange(end) : undefined,
  };
}
