import type { Bundle, Resource } from '../../src/model/resource.js';
import { request } from './move-client.js';

const OBSERVATIONS_OF_A_PATIENT = 7;
const PATIENTS_OF_A_BUNDLE = 25;
const CONDITIONALS = 40;
const BINARIES = 5;
const BINARY_BYTES = 450_000;
const BUNDLES_AT_ONCE = 4;

/** How many patients make about `resources` resources. */
export function patientsFor(resources: number): number {
  return Math.max(PATIENTS_OF_A_BUNDLE, Math.round(resources / (OBSERVATIONS_OF_A_PATIENT + 1)));
}

/** A little of everything that is stored: versions, deletions, links, claims of conditions, labels and blobs. */
export async function fill(base: string, patients: number): Promise<void> {
  await sendAll(base, [...bundlesOf(patients, 1)]);
  await sendAll(base, [...changesOf(patients)]);
  for (let number = 0; number < CONDITIONALS; number++) await createConditional(base, number);
  for (let number = 0; number < BINARIES; number++) {
    await request(base, 'POST', 'Binary', {
      content: new Uint8Array(BINARY_BYTES + number).fill(number),
      headers: { 'content-type': 'application/pdf' },
      status: 201,
    });
  }
}

/** Answers the status: 201, or 200 where the condition has been claimed. */
export async function createConditional(base: string, number: number): Promise<number> {
  const identifier = [{ system: 'urn:conditional', value: String(number) }];
  const { status } = await request(base, 'POST', 'Patient', {
    body: { resourceType: 'Patient', identifier, name: [{ family: 'Conditional' }] },
    headers: { 'if-none-exist': `identifier=urn:conditional|${number}` },
  });
  return status;
}

export const CONDITIONAL_COUNT = CONDITIONALS;

async function sendAll(base: string, bundles: readonly Bundle[]): Promise<void> {
  let next = 0;
  const send = async (): Promise<void> => {
    for (let index = next++; index < bundles.length; index = next++) {
      await request(base, 'POST', '', { body: bundles[index]!, status: 200 });
    }
  };
  await Promise.all(Array.from({ length: BUNDLES_AT_ONCE }, send));
}

function* bundlesOf(patients: number, version: number): Iterable<Bundle> {
  for (let first = 0; first < patients; first += PATIENTS_OF_A_BUNDLE) {
    const numbers = range(first, Math.min(first + PATIENTS_OF_A_BUNDLE, patients));
    yield transaction(
      numbers.flatMap((number) => [patient(number, version), ...observationsOf(number)]).map(put),
    );
  }
}

/** Second versions of every tenth patient; every fiftieth loses an observation, half of which come again. */
function* changesOf(patients: number): Iterable<Bundle> {
  for (let first = 0; first < patients; first += PATIENTS_OF_A_BUNDLE * 10) {
    const numbers = range(first, Math.min(first + PATIENTS_OF_A_BUNDLE * 10, patients));
    yield transaction([
      ...numbers.filter((number) => number % 10 === 0).map((number) => put(patient(number, 2))),
      ...numbers.filter((number) => number % 50 === 0).map((number) => remove(`Observation/o${number}-3`)),
    ]);
  }
  const reborn = range(0, patients).filter((number) => number % 100 === 0);
  yield transaction(reborn.map((number) => put(observationsOf(number)[3]!)));
}

function patient(number: number, version: number): Resource {
  return {
    resourceType: 'Patient',
    id: `p${number}`,
    meta: { tag: [{ system: 'urn:tags', code: `t${number % 3}` }] },
    active: version > 1,
    identifier: [{ system: 'urn:x', value: `p${number}` }],
    birthDate: `19${50 + (number % 50)}-02-03`,
    gender: number % 2 === 0 ? 'female' : 'male',
    name: [{ family: `Moved${number % 997}`, given: ['Ä', '𐀀'] }],
  };
}

function observationsOf(number: number): readonly Resource[] {
  return range(0, OBSERVATIONS_OF_A_PATIENT).map((part) => ({
    resourceType: 'Observation',
    id: `o${number}-${part}`,
    status: 'final',
    code: { coding: [{ system: 'urn:codes', code: part === 0 ? 'weight' : 'temperature' }] },
    subject: { reference: `Patient/p${number}` },
    effectiveDateTime: `20${10 + part}-01-${String((number % 28) + 1).padStart(2, '0')}`,
    valueQuantity: { value: 36 + (number % 40) / 10, system: 'http://unitsofmeasure.org', code: 'Cel' },
  }));
}

type Entry = NonNullable<Bundle['entry']>[number];

function transaction(entry: readonly Entry[]): Bundle {
  return { resourceType: 'Bundle', type: 'transaction', entry: [...entry] };
}

function put(resource: Resource): Entry {
  return { resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } };
}

function remove(url: string): Entry {
  return { request: { method: 'DELETE', url } };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
