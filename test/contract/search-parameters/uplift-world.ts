import type { Bundle, FhirResource } from 'fhir/r4.js';
import type { FhirClient } from '../support/fhir-client.js';
import { lift, upliftChain, upliftToken } from './uplift-fixtures.js';

/** The system that is lifted. */
export const LIFTED = 'urn:lifted';
export const OTHER = 'urn:other';

const SYSTEMS = [LIFTED, OTHER, undefined];
const NAMES = ['Ash', 'Åsh', 'Birch', 'Birchwood', 'Cedar'];
const COUNT = 24;

/** Chains of one reference and of several, to one type and to several, to tokens and to strings. */
export async function liftChains(client: FhirClient): Promise<void> {
  await lift(client, 'clinical-patient', [
    upliftChain('identifier', 'patient-identifier'),
    upliftChain('name', 'patient-name'),
    upliftToken(LIFTED, 'alt_id'),
  ]);
  await lift(client, 'Observation-subject', [upliftChain('identifier', 'subject-identifier')]);
  await lift(client, 'Observation-performer', [upliftChain('name', 'performer-name')]);
  await lift(client, 'Patient-link', [upliftChain('identifier', 'link-identifier')]);
}

export async function unliftChains(client: FhirClient): Promise<void> {
  for (const id of ['clinical-patient', 'Observation-subject', 'Observation-performer', 'Patient-link'])
    await lift(client, id, []);
}

/** The parameters that are asked for, and their values. */
const ASKED = [
  ['Observation?patient.identifier', tokens()],
  ['Observation?subject.identifier', tokens()],
  ['Observation?subject:Group.identifier', tokens()],
  ['Condition?patient.identifier', tokens()],
  ['Patient?link.identifier', tokens()],
  ['Observation?patient.name', ['ash', 'birch', 'Cedar', 'none']],
  ['Observation?patient.name:exact', ['Ash', 'ash']],
  ['Observation?patient.name:contains', ['wood', 's']],
  ['Observation?performer.name', ['ash', 'birch']],
] as const;

function tokens(): readonly string[] {
  return [
    ...['v1', 'v2', 'v3', 'none'].flatMap((value) => [
      `${LIFTED}|${value}`,
      `${OTHER}|${value}`,
      value,
      `|${value}`,
    ]),
    `${LIFTED}|`,
    `${LIFTED}|v1,${OTHER}|v2,v3`,
  ];
}

/** Searches by chains, most of which are lifted, and by what stands beside them. */
export const CHAINS: readonly string[] = [
  ...ASKED.flatMap(([name, values]) => values.map((value) => `${name}=${value}`)),
  `Observation?patient.identifier:not=${LIFTED}|v1`,
  'Observation?patient.identifier:missing=true',
  'Observation?patient.identifier:missing=false',
  'Observation?patient.gender=male',
  `Observation?patient.link.identifier=${LIFTED}|v1`,
  `Patient?_has:Observation:patient:subject.identifier=${LIFTED}|v1`,
  `Observation?_filter=patient.identifier eq ${LIFTED}|v1 or patient.name co "wood"`,
  `Observation?_filter=not (patient.identifier eq ${LIFTED}|v1)`,
  `Observation?_filter=patient.identifier ne ${LIFTED}|v1`,
  `Observation?patient.identifier=${LIFTED}|v1&patient.name=a`,
  `Observation?patient.identifier=${Array.from({ length: 12 }, (_, at) => `${LIFTED}|v${at}`).join(',')}`,
  `Observation?patient.identifier=${LIFTED}|v1&_contained=both`,
  `Patient?identifier=${LIFTED}|v1&_contained=true`,
  `?_type=Observation,Condition&patient.identifier=${LIFTED}|v1`,
];

/** Identifiers by a number: none to two, without a system or a value now and then. */
export function identifiersAt(at: number): object[] {
  return Array.from({ length: at % 3 }, (_, place) => {
    const system = SYSTEMS[(at + place) % 3];
    const hasValue = system === undefined || (at + place) % 7 !== 0;
    return { ...(system && { system }), ...(hasValue && { value: `v${(at * 5 + place) % 6}` }) };
  });
}

export function patientAt(at: number, seed = at): FhirResource {
  const identifier = identifiersAt(seed);
  return {
    resourceType: 'Patient',
    id: `p${at}`,
    gender: seed % 2 === 0 ? 'male' : 'female',
    ...(identifier.length > 0 && { identifier }),
    ...(seed % 5 !== 4 && {
      name: [{ family: NAMES[seed % 5] ?? '', given: [NAMES[(seed * 3) % 5] ?? ''] }],
    }),
    ...(at > 0 &&
      at % 3 === 0 && { link: [{ type: 'seealso', other: { reference: `Patient/p${at - 1}` } }] }),
  };
}

export function observationAt(at: number, seed = at): FhirResource {
  const subject = seed % 4 === 3 ? `Group/g${seed % 3}` : `Patient/p${(seed * 7) % COUNT}`;
  const performer = Array.from({ length: seed % 3 }, (_, place) => {
    const number = seed + place;
    return { reference: number % 2 === 0 ? `Practitioner/d${number % 4}` : `Patient/p${number % COUNT}` };
  });
  return {
    resourceType: 'Observation',
    id: `o${at}`,
    status: 'final',
    code: { text: 'x' },
    ...(seed % 9 !== 8 && { subject: { reference: subject } }),
    ...(performer.length > 0 && { performer }),
  };
}

/** An Observation of a patient that it contains. */
function containingAt(at: number, seed: number): FhirResource {
  const identifier = identifiersAt(seed);
  const patient: FhirResource = {
    resourceType: 'Patient',
    id: 'p',
    ...(identifier.length > 0 && { identifier }),
  };
  return {
    resourceType: 'Observation',
    id: `containing${at}`,
    status: 'final',
    code: { text: 'x' },
    contained: [patient],
    subject: { reference: '#p' },
  };
}

function many<Made>(count: number, make: (at: number) => Made): readonly Made[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

/** Resources of one tenant, the targets first. */
function resources(seed: number): readonly FhirResource[] {
  return [
    ...many(4, (at): FhirResource => {
      return { resourceType: 'Practitioner', id: `d${at}`, name: [{ family: NAMES[(at + seed) % 5] ?? '' }] };
    }),
    ...many(COUNT, (at) => patientAt(at, at + seed)),
    ...many(3, (at): FhirResource => {
      const identifier = identifiersAt(at + seed + 1);
      return {
        resourceType: 'Group',
        id: `g${at}`,
        type: 'person',
        actual: true,
        ...(identifier.length > 0 && { identifier }),
      };
    }),
    ...many(60, (at) => observationAt(at, at + seed)),
    ...many(6, (at) => containingAt(at, at + seed)),
    ...many(12, (at): FhirResource => {
      return {
        resourceType: 'Condition',
        id: `c${at}`,
        subject: { reference: `Patient/p${(at + seed) % COUNT}` },
      };
    }),
  ];
}

export async function put(client: FhirClient, all: readonly FhirResource[]): Promise<void> {
  const entry = all.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const { status, text } = await client.post<Bundle>('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry,
  });
  if (status !== 200) throw new Error(text);
}

/** Fills a tenant. */
export function load(client: FhirClient, seed: number): Promise<void> {
  return put(client, resources(seed));
}
