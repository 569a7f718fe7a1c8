import type { CodeSystem, Coding, ValueSet } from 'fhir/r4.js';

const SYSTEM = 'urn:codes';
const BASE = 'http://x.example/ValueSet';

/** The code system of most samples: `b` and `d` are kinds of `a`, and `e` is a kind of `d`. */
const CODE_SYSTEM: CodeSystem = {
  resourceType: 'CodeSystem',
  id: 'sample-codes',
  url: SYSTEM,
  status: 'active',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  concept: [
    { code: 'a', concept: [{ code: 'b' }, { code: 'd', concept: [{ code: 'e' }] }] },
    { code: 'c,d$e\\f' },
  ],
};

/** All codes, some codes, and the codes of two systems. */
const VALUE_SETS: readonly ValueSet[] = [
  toValueSet('all', [{ system: SYSTEM }]),
  toValueSet('b', [{ system: SYSTEM, concept: [{ code: 'b' }] }]),
  toValueSet('both', [
    { system: SYSTEM, concept: [{ code: 'a' }] },
    { system: 'urn:other', concept: [{ code: 'a' }] },
  ]),
];

/** What a server has to hold so that searches can go by it. */
export const SAMPLE_TERMINOLOGY: readonly (CodeSystem | ValueSet)[] = [CODE_SYSTEM, ...VALUE_SETS];

const MEMBERS: Readonly<Record<string, readonly Coding[]>> = {
  [`${BASE}/all`]: ['a', 'b', 'd', 'e', 'c,d$e\\f'].map((code) => ({ system: SYSTEM, code })),
  [`${BASE}/b`]: [{ system: SYSTEM, code: 'b' }],
  [`${BASE}/both`]: [
    { system: SYSTEM, code: 'a' },
    { system: 'urn:other', code: 'a' },
  ],
};
const PARENTS: Readonly<Record<string, string>> = { b: 'a', d: 'a', e: 'd' };

/** The URLs of the sample value sets. */
export const VALUE_SET_URLS = Object.keys(MEMBERS);

/** Codes whose kinds the samples know. */
export const RELATED_CODES = ['a', 'b', 'd', 'e'].map((code) => `${SYSTEM}|${code}`);

/** A code without system, which only elements of type `code` have, is in the set by itself. */
export function isInValueSet({ system, code }: Coding, url: string): boolean {
  return (MEMBERS[url] ?? []).some(
    (member) => member.code === code && (system === undefined || member.system === system),
  );
}

/** Whether `lower` is the code `upper` or a kind of it. */
export function isKindOf(lower: string, upper: string): boolean {
  const parent = PARENTS[lower];
  return lower === upper || (parent !== undefined && isKindOf(parent, upper));
}

function toValueSet(name: string, include: NonNullable<ValueSet['compose']>['include']): ValueSet {
  return {
    resourceType: 'ValueSet',
    id: `sample-${name}`,
    url: `${BASE}/${name}`,
    status: 'active',
    compose: { include },
  };
}
