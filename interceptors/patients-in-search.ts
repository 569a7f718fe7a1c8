import type { RequestDetails } from '../src/index.js';

const ID = /^[A-Za-z0-9.-]{1,64}$/;
const REFERENCE = /^(?:.*\/)?Patient\/([A-Za-z0-9.-]{1,64})$/;
/** Parameters whose value names a patient; one may stand for another type too, and then must say which. */
const ALWAYS_PATIENT: ReadonlySet<string> = new Set(['patient', 'patient:Patient', 'subject:Patient']);
const MAYBE_PATIENT: ReadonlySet<string> = new Set(['subject']);

/**
 * The ids of the patients that a search is limited to by its URL, `_id`, `patient` or `subject`; undefined where it is
 * not, or where a value is anything but a plain reference, so that nothing can be missed.
 */
export function patientsInSearch(
  { parameters, compartment }: RequestDetails,
  resourceType: string,
): readonly string[] | undefined {
  // Patients that a patient is linked to have partitions of their own.
  if (compartment?.type === 'Patient' && resourceType !== 'Patient') return [compartment.id];
  for (const [name, value] of parameters) {
    const read = readerOf(resourceType, name);
    if (read === undefined) continue;
    const patients = value.split(',').map(read);
    if (patients.every((patient) => patient !== undefined)) return patients;
  }
  return undefined;
}

type ReadPatient = (text: string) => string | undefined;

function readerOf(resourceType: string, name: string): ReadPatient | undefined {
  if (resourceType === 'Patient') return name === '_id' ? plainId : undefined;
  if (ALWAYS_PATIENT.has(name)) return (text) => plainId(text) ?? referredId(text);
  return MAYBE_PATIENT.has(name) ? referredId : undefined;
}

function plainId(text: string): string | undefined {
  return ID.test(text) ? text : undefined;
}

function referredId(text: string): string | undefined {
  return REFERENCE.exec(text)?.[1];
}
