/** The data that benchmarks send: Synthea's patients where they are at hand, generated ones where they are not. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Bundle, Resource } from '../src/model/resource.js';
import { packageRoot } from '../src/fhir/definitions.js';
import { generatePatients } from './generated-patients.js';

/** The resources of one patient; the Patient comes first. References are `Type/id` or `urn:uuid:id`. */
export type PatientRecord = readonly Resource[];

/** Bodies for the benchmarks; every reference in them has a target after `seeds` were stored. */
export interface Corpus {
  readonly source: 'synthea' | 'generated';
  /** A transaction that stores one resource of each type, under fixed ids. */
  readonly seeds: string;
  readonly observations: readonly string[];
  readonly patients: readonly string[];
  /** Transactions of exactly 100 creates that refer to each other and to the seeds. */
  readonly bundles: readonly string[];
  /** One transaction of exactly 1,000 creates. */
  readonly largeBundle: string;
  /** The codes of most observations, `system|code`. */
  readonly codes: readonly string[];
}

const BUNDLE_SIZE = 100;
const LARGE_BUNDLE_SIZE = 1000;
const BUNDLES = 60;
const OBSERVATIONS = 400;
const PATIENT_BYTES = { least: 2_000, most: 4_500 };

/** Reads `../shared/data/synthea` beside the package, or generates records where it is missing. */
export function loadCorpus(): Corpus {
  const folder = join(packageRoot(), '..', 'shared', 'data', 'synthea');
  const synthea = existsSync(folder);
  return toCorpus(synthea ? readSynthea(folder) : generatePatients(40), synthea ? 'synthea' : 'generated');
}

function readSynthea(folder: string): PatientRecord[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json.gz'))
    .toSorted();
  return files.flatMap((name) => {
    const bundle = JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString('utf8')) as Bundle;
    // A Provenance refers to everything of its patient: outside of its bundle nothing of it is left.
    const resources = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
    const record = resources.filter(({ resourceType }) => resourceType !== 'Provenance');
    return record[0]?.resourceType === 'Patient' ? [record] : [];
  });
}

function toCorpus(records: readonly PatientRecord[], source: Corpus['source']): Corpus {
  const all = records.flat();
  const seedTypes = new Set(all.map(({ resourceType }) => resourceType).concat(SEEDED_TYPES));
  const observations = all
    .filter(({ resourceType }) => resourceType === 'Observation')
    .slice(0, OBSERVATIONS);
  const patients = records.map(([patient]) => JSON.stringify(localized(patient!, new Set())));
  return {
    source,
    seeds: seedBundle(all, seedTypes),
    observations: observations.map((resource) => JSON.stringify(localized(resource, new Set()))),
    patients: patients
      .filter(({ length }) => length > PATIENT_BYTES.least && length < PATIENT_BYTES.most)
      .slice(0, 10),
    bundles: windows(records, BUNDLE_SIZE).slice(0, BUNDLES).map(transactionOf),
    largeBundle: transactionOf(windows([records.flat()], LARGE_BUNDLE_SIZE)[0]!),
    codes: frequentCodes(windows(records, BUNDLE_SIZE).slice(0, BUNDLES).flat()),
  };
}

/** Types that Synthea refers to but keeps in files of their own. */
const SEEDED_TYPES = ['Practitioner', 'PractitionerRole', 'Organization', 'Location'];

/** Runs of `size` neighbours, the patient in front of each. */
function windows(records: readonly PatientRecord[], size: number): PatientRecord[] {
  return records.flatMap(([patient, ...rest]) => {
    const runs: PatientRecord[] = [];
    for (let at = 0; at + size - 1 <= rest.length; at += size - 1)
      runs.push([patient!, ...rest.slice(at, at + size - 1)]);
    return runs;
  });
}

function transactionOf(resources: readonly Resource[]): string {
  const inside = new Set(resources.map(({ id }) => String(id)));
  const entry = resources.map((resource) => ({
    fullUrl: `urn:uuid:${resource.id}`,
    resource: localized(resource, inside),
    request: { method: 'POST', url: resource.resourceType },
  }));
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
}

function seedBundle(all: readonly Resource[], types: ReadonlySet<string>): string {
  const entry = [...types].map((type) => {
    const found = all.find(({ resourceType }) => resourceType === type) ?? { resourceType: type };
    const resource = { ...localized(found, new Set()), id: seedId(type) };
    return { resource, request: { method: 'PUT', url: `${type}/${resource.id}` } };
  });
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
}

/** The id of the seed of one type. */
export function seedId(type: string): string {
  return `seed-${type.toLowerCase()}`;
}

/** A copy whose references outside of `inside` point to the seeds; where the type can't be told, to the patient. */
function localized(resource: Resource, inside: ReadonlySet<string>): Resource {
  const text = JSON.stringify(resource, (key, value: unknown) => {
    if (key !== 'reference' || typeof value !== 'string' || value.startsWith('#')) return value;
    const id = value.replace(/^urn:uuid:/, '');
    if (inside.has(id)) return `urn:uuid:${id}`;
    const [, type] = /^([A-Z]\w+)[/?]/.exec(value) ?? [];
    return type === undefined ? 'Patient/seed-patient' : `${type}/${seedId(type)}`;
  });
  const { id: _, ...copy } = JSON.parse(text) as Resource;
  return copy as Resource;
}

function frequentCodes(resources: readonly Resource[]): string[] {
  const counts = new Map<string, number>();
  for (const resource of resources) {
    if (resource.resourceType !== 'Observation') continue;
    const { code } = resource as {
      readonly code?: { readonly coding?: readonly { system?: string; code?: string }[] };
    };
    for (const coding of code?.coding ?? []) {
      const token = `${coding.system}|${coding.code}`;
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  }
  const ordered = [...counts].toSorted((a, b) => b[1] - a[1]);
  return ordered.slice(0, 8).map(([token]) => token);
}
