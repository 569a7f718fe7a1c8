import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Bundle, BundleEntry, Resource } from '../../src/model/resource.js';

/** Where Synthea's bundles lie on machines that have them. */
const SYNTHEA = resolve('..', 'shared', 'data', 'synthea');

/** A folder of Synthea-like files, and how many patients are in it. */
export interface SampleFolder {
  readonly folder: string;
  readonly patients: number;
}

/** Synthea's own files where the machine has them, else files of the same form made in `folder`. */
export async function sampleFolder(folder: string): Promise<SampleFolder> {
  if (!existsSync(SYNTHEA)) return writeSamples(folder, 8);
  const files = readdirSync(SYNTHEA).filter((name) => /^[^.]+\.json\.gz$/.test(name));
  return { folder: SYNTHEA, patients: files.filter((name) => !/Information/.test(name)).length };
}

/** Writes a file of hospitals, one of practitioners and one for each patient, named so that patients come first. */
export async function writeSamples(folder: string, patients: number): Promise<SampleFolder> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'hospitalInformation1.json.gz'), gzipSync(JSON.stringify(hospitals())));
  await writeFile(join(folder, 'practitionerInformation1.json'), JSON.stringify(practitioners()));
  for (let number = 1; number <= patients; number++) {
    await writeFile(join(folder, `a-patient-${number}.json`), JSON.stringify(patientBundle(number)));
  }
  return { folder, patients };
}

/** One patient with an encounter and two observations, all created by POST and linked by `urn:uuid`. */
export function patientBundle(number: number): Bundle {
  const patient = post({
    resourceType: 'Patient',
    id: sampleId(number, 0),
    name: [{ family: `Family${number}` }],
    managingOrganization: { reference: 'Organization?identifier=https://sample.example/hospitals|1' },
  });
  const encounter = post({
    resourceType: 'Encounter',
    id: sampleId(number, 1),
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: patient.fullUrl },
    participant: [
      { individual: { reference: 'Practitioner?identifier=https://sample.example/practitioners|1' } },
    ],
  });
  const observations = [2, 3].map((part) =>
    post({
      resourceType: 'Observation',
      id: sampleId(number, part),
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
      subject: { reference: patient.fullUrl },
      encounter: { reference: encounter.fullUrl },
      valueQuantity: { value: 100 + number, unit: 'mmHg' },
    }),
  );
  return { resourceType: 'Bundle', type: 'transaction', entry: [patient, encounter, ...observations] };
}

/** An id in the form of a UUID, as Synthea has them. */
export function sampleId(number: number, part: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(6, '0')}${String(part).padStart(6, '0')}`;
}

function hospitals(): Bundle {
  return batchOf('hospitals', { resourceType: 'Organization', id: sampleId(0, 1), name: 'Hospital' });
}

function practitioners(): Bundle {
  return batchOf('practitioners', {
    resourceType: 'Practitioner',
    id: sampleId(0, 2),
    name: [{ family: 'Doe' }],
  });
}

function batchOf(kind: string, resource: Resource): Bundle {
  const system = `https://sample.example/${kind}`;
  const entry = post({ ...resource, identifier: [{ system, value: '1' }] });
  const request = { ...entry.request, ifNoneExist: `identifier=${system}|1` };
  return { resourceType: 'Bundle', type: 'batch', entry: [{ ...entry, request }] };
}

function post(resource: Resource): Required<Pick<BundleEntry, 'fullUrl' | 'resource' | 'request'>> {
  return {
    fullUrl: `urn:uuid:${resource.id}`,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  };
}
