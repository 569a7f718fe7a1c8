import type { Bundle, Group, Observation, Patient } from 'fhir/r4.js';
import type { Resource } from '../../src/model/resource.js';
import type { Violations } from './crash-verify.js';
import type { Exported } from './export-client.js';
import { get } from './move-client.js';

/** One version of a resource, as the history tells it. */
interface Version {
  readonly key: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly updated: number;
  /** Undefined: a deletion. */
  readonly resource: Resource | undefined;
}

/** What a tenant had at one moment, by `Type/id`; what was deleted is there as its deletion. */
export type State = ReadonlyMap<string, Version>;

/** Every version of everything that a tenant has. */
export async function historyOf(base: string): Promise<readonly Version[]> {
  const versions: Version[] = [];
  let path: string | undefined = '_history?_count=1000';
  while (path !== undefined) {
    const bundle: Bundle = await get<Bundle>(base, path);
    for (const entry of bundle.entry ?? []) {
      const { resource, request, response } = entry;
      versions.push({
        key: resource ? `${resource.resourceType}/${resource.id}` : (request?.url ?? ''),
        version: Number(/\d+/.exec(response?.etag ?? '')?.[0]),
        updated: Date.parse(resource?.meta?.lastUpdated ?? response?.lastModified ?? ''),
        resource: resource as Resource | undefined,
      });
    }
    path = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  }
  const broken = versions.find(({ version, updated }) => !(version > 0 && updated > 0));
  if (broken) throw new Error(`The history has an entry of ${broken.key} without a version or a time.`);
  return versions;
}

/** The last versions until then: folded from all there are, without any of the server's own walks. */
export function stateAt(history: readonly Version[], at: number): State {
  const state = new Map<string, Version>();
  for (const version of history) {
    const known = state.get(version.key);
    if (version.updated <= at && version.version > (known?.version ?? 0)) state.set(version.key, version);
  }
  return state;
}

/** An export that is asked for, and what belongs to it by the words of its parameters. */
export interface Question {
  /** Without `_since`. */
  readonly path: string;
  readonly isAsked: (resource: Resource, state: State) => boolean;
  /** Types of which deletions are told; undefined: of all. */
  readonly types?: readonly string[];
  /** Whose deletions are told depends on more. */
  readonly deletions?: 'not compared';
}

const WHOLE: Question = { path: '$export', isAsked: () => true };

/** What is wrong with an export; `since` in milliseconds since 1970, 0 for none. */
export function compare(
  exported: Exported,
  history: readonly Version[],
  { question = WHOLE, since = 0 }: { readonly question?: Question; readonly since?: number } = {},
): Violations {
  const state = stateAt(history, exported.at);
  const expected = new Map<string, string>();
  const gone = new Set<string>();
  for (const [key, { resource, updated }] of state) {
    const isOfType = question.types?.includes(key.split('/')[0] ?? '') ?? true;
    if (updated <= since || !isOfType) continue;
    if (resource === undefined) gone.add(key);
    else if (question.isAsked(resource, state)) expected.set(key, JSON.stringify(resource));
  }
  const violations = [...exported.violations, ...compareContents(exported.output, expected)];
  if (since > 0 && question.deletions === undefined) {
    for (const key of gone)
      if (!exported.deleted.has(key)) violations.push(`the deletion of ${key} is not told`);
    for (const key of exported.deleted) if (!gone.has(key)) violations.push(`${key} was not deleted by then`);
  }
  if (since === 0 && exported.deleted.size > 0) violations.push('deletions are told that nobody asked for');
  return violations.slice(0, MOST_VIOLATIONS).map((violation) => `${question.path}: ${violation}`);
}

const MOST_VIOLATIONS = 10;

/** Contents by `Type/id`, as JSON. */
export function compareContents(
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): Violations {
  const violations: Violations = [];
  for (const [key, content] of expected) {
    const line = found.get(key);
    if (line === undefined) violations.push(`${key} is missing`);
    else if (JSON.stringify(JSON.parse(line)) !== content)
      violations.push(`${key} is not as it was: ${line} instead of ${content}`);
  }
  for (const key of found.keys()) if (!expected.has(key)) violations.push(`${key} should not be there`);
  return violations;
}

const isPatient = (resource: Resource): resource is Resource & Patient => resource.resourceType === 'Patient';
const isObservation = (resource: Resource): resource is Resource & Observation =>
  resource.resourceType === 'Observation';
const isGroup = (resource: Resource): resource is Resource & Group => resource.resourceType === 'Group';

function subjectOf(resource: Resource, state: State): Patient | undefined {
  const reference = isObservation(resource) ? resource.subject?.reference : undefined;
  return state.get(reference ?? '')?.resource as Patient | undefined;
}

function membersOf(state: State): ReadonlySet<string> {
  const group = state.get('Group/g')?.resource as Group | undefined;
  const member = group?.member?.filter(({ inactive }) => inactive !== true) ?? [];
  return new Set(member.map(({ entity }) => entity.reference ?? ''));
}

function isFinal(resource: Resource): boolean {
  return isObservation(resource) && resource.status === 'final';
}

/** Exports of every level, with filters that look at the resource alone, at others, and at those that refer to it. */
export const QUESTIONS: readonly Question[] = [
  {
    path: '$export?_type=Patient,Observation&_typeFilter=Observation?status=final',
    isAsked: (resource) => !isObservation(resource) || isFinal(resource),
    types: ['Patient', 'Observation'],
  },
  {
    path: '$export?_type=Observation&_typeFilter=Observation?subject:Patient.gender=male',
    isAsked: (resource, state) => subjectOf(resource, state)?.gender === 'male',
    types: ['Observation'],
  },
  {
    path: '$export?_type=Patient&_typeFilter=Patient?_has:Observation:subject:status=final',
    isAsked: (patient, state) =>
      [...state.values()].some(
        ({ resource }) => resource && isFinal(resource) && refersTo(resource, patient.id ?? ''),
      ),
    types: ['Patient'],
  },
  {
    path: '$export?_type=Patient&_typeFilter=Patient?active=true&_typeFilter=Patient?gender=female',
    isAsked: (resource) => isPatient(resource) && (resource.active === true || resource.gender === 'female'),
    types: ['Patient'],
  },
  {
    path: 'Patient/$export',
    isAsked: (resource) => !isGroup(resource) || (resource.member?.length ?? 0) > 0,
    types: ['Patient', 'Observation', 'Group'],
  },
  {
    path: 'Patient/$export?_type=Observation&_typeFilter=Observation?status=final,Observation?status=amended',
    isAsked: (resource) => isObservation(resource) && resource.status !== 'preliminary',
    types: ['Observation'],
  },
  {
    path: 'Group/g/$export',
    isAsked: (resource, state) =>
      isGroup(resource) ||
      [...membersOf(state)].some(
        (member) =>
          (isPatient(resource) && member === `Patient/${resource.id}`) ||
          refersTo(resource, member.slice('Patient/'.length)),
      ),
    types: ['Patient', 'Observation', 'Group'],
    deletions: 'not compared',
  },
];

function refersTo(resource: Resource, patient: string): boolean {
  return isObservation(resource) && resource.subject?.reference === `Patient/${patient}`;
}
