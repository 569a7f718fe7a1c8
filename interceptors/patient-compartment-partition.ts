import { randomUUID } from 'node:crypto';
import {
  compartmentTypes,
  createSearchParameterRegistry,
  DEFAULT_PARTITION_ID,
  defineInterceptor,
  FhirError,
  NON_PARTITIONABLE_TYPES,
  patientCompartmentMembers,
} from '../src/index.js';
import type { HookEvent, Interceptor, PartitionChoice, RequestDetails, Resource } from '../src/index.js';
import { patientHash } from './patient-hash.js';
import { withPatientIds } from './patients-in-bundle.js';
import { patientsInSearch } from './patients-in-search.js';

/** Options of `patientCompartmentPartition`. */
export interface PatientCompartmentPartitionOptions {
  /** How many partitions the patients are spread over. It can never change once something is stored. */
  readonly partitions: number;
  /** Id of the first one; the others follow it. 1 if left out. They are registered, or partitions are unnamed. */
  readonly firstId?: number;
  /**
   * Types that may belong to no patient or several, and then live in DEFAULT; `Provenance` if left out.
   * Everything else of the compartment must belong to exactly one.
   */
  readonly optionalTypes?: readonly string[];
}

/** Types of the compartment that speak of many patients by nature. */
const ABOUT_MANY: ReadonlySet<string> = new Set(['Group', 'List']);

/** Interactions with one resource, whose answer holds nothing but it. */
const OF_ONE_RESOURCE: ReadonlySet<string> = new Set([
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
]);

/**
 * Everything of one patient is in one partition, which follows from a hash of the patient's id; what is not of
 * the patient compartment (https://hl7.org/fhir/R4/compartmentdefinition-patient.html) is in DEFAULT. Reads that
 * name patients look in their partitions only. A Patient is created by PUT, since its id decides; in a bundle a
 * POST becomes a PUT under a new id. A change that would move a resource to another partition is refused.
 * @throws Error for a number of partitions that is not a positive integer.
 */
export function patientCompartmentPartition(options: PatientCompartmentPartitionOptions): Interceptor {
  const { partitions, firstId = 1 } = options;
  if (!Number.isInteger(partitions) || partitions < 1)
    throw new Error('partitions must be a positive integer.');
  const ownerOf = patientOf(options);
  const idOf = (patient: string | undefined): number =>
    patient === undefined ? DEFAULT_PARTITION_ID : firstId + (patientHash(patient) % partitions);
  return defineInterceptor({
    name: 'patient-compartment-partition',
    hooks: {
      STORAGE_PARTITION_IDENTIFY_CREATE: ({ request, resource }) =>
        toChoice([idOf(ownerOf(assertIdIsKnown(request, resource)))]),
      STORAGE_PARTITION_IDENTIFY_READ: (event) => toReadChoice(event, idOf),
      STORAGE_TRANSACTION_PROCESSING: ({ value }) => withPatientIds(value, randomUUID),
      STORAGE_PRESTORAGE_RESOURCE_UPDATED: ({ previous, value }) => {
        if (idOf(ownerOf(previous)) !== idOf(ownerOf(value))) throw moved(value);
      },
    },
  });
}

/** The id of the one patient that a resource belongs to; undefined for what lives in DEFAULT. */
type PatientOf = (resource: Resource) => string | undefined;

function patientOf({ optionalTypes = ['Provenance'] }: PatientCompartmentPartitionOptions): PatientOf {
  const compartment = patientTypes();
  let registry: ReturnType<typeof createSearchParameterRegistry> | undefined;
  return (resource) => {
    const { resourceType, id } = resource;
    if (resourceType === 'Patient') return id;
    if (!compartment().has(resourceType)) return undefined;
    registry ??= createSearchParameterRegistry();
    const patients = patientCompartmentMembers(resource, registry);
    if (patients.length === 1) return patients[0];
    if (optionalTypes.includes(resourceType)) return undefined;
    throw notOfOnePatient(resourceType, patients.length);
  };
}

const patientTypes = (): (() => ReadonlySet<string>) => {
  let types: ReadonlySet<string> | undefined;
  return () => (types ??= new Set(compartmentTypes('Patient').filter((type) => isOfOnePatient(type))));
};

function isOfOnePatient(type: string): boolean {
  return !ABOUT_MANY.has(type) && !NON_PARTITIONABLE_TYPES.has(type);
}

type ReadEvent = HookEvent<'STORAGE_PARTITION_IDENTIFY_READ'>;

function toReadChoice({ request, target }: ReadEvent, idOf: (patient: string) => number): PartitionChoice {
  const { interaction, resourceType, id } = target;
  if (interaction === 'capabilities') return { by: 'default' };
  if (resourceType === undefined) return { by: 'all' };
  if (!isReadable(resourceType)) return { by: 'default' };
  const patients =
    resourceType === 'Patient' && id !== undefined ? [id] : patientsInSearch(request, resourceType);
  if (patients === undefined) return { by: 'all' };
  const ids = [...new Set(patients.map(idOf))];
  // What a patient's record refers to (practitioners, places) is in DEFAULT, and is included from there.
  return toChoice(OF_ONE_RESOURCE.has(interaction) ? ids : [...ids, DEFAULT_PARTITION_ID]);
}

function isReadable(resourceType: string): boolean {
  return isOfOnePatient(resourceType) && compartmentTypes('Patient').includes(resourceType);
}

function toChoice([first, ...rest]: readonly number[]): PartitionChoice {
  return first === undefined ? { by: 'all' } : { by: 'id', ids: [first, ...rest] };
}

/** The id in the body of a POST is not the one that the resource will have. */
function assertIdIsKnown(request: RequestDetails, resource: Resource): Resource {
  if (resource.resourceType !== 'Patient' || request.interaction !== 'create') return resource;
  throw new FhirError(
    'NOT_PARTITIONABLE',
    'A Patient must be created by PUT, because its id decides where it is.',
  );
}

function notOfOnePatient(resourceType: string, found: number): FhirError {
  const message = `A ${resourceType} must belong to exactly one Patient; this one belongs to ${found}.`;
  return new FhirError('NOT_PARTITIONABLE', message, { expression: [resourceType] });
}

function moved({ resourceType, id }: Resource): FhirError {
  return new FhirError('NOT_PARTITIONABLE', `${resourceType}/${id} cannot be moved to another patient.`);
}
