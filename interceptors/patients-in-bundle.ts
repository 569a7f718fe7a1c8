import { rewriteReferences } from '../src/index.js';
import type { Bundle, BundleEntry } from '../src/index.js';

/**
 * A bundle whose new Patients have ids: a POST becomes a PUT under `newId()`, and what the other entries call
 * the Patient (`urn:uuid:…`) becomes a reference to it. A conditional create stays as it is. The bundle itself
 * if it creates no Patient.
 */
export function withPatientIds(bundle: Bundle, newId: () => string): Bundle {
  const { entry: entries } = bundle;
  if (!Array.isArray(entries) || !entries.some(isNewPatient)) return bundle;
  const references = new Map<string, string>();
  const identified = entries.map((entry: unknown) => {
    if (!isNewPatient(entry)) return entry as BundleEntry;
    const id = newId();
    if (entry.fullUrl !== undefined) references.set(entry.fullUrl, `Patient/${id}`);
    return withId(entry, id);
  });
  return { ...bundle, entry: identified.map((entry) => referring(entry, references)) };
}

interface NewPatient extends BundleEntry {
  readonly resource: NonNullable<BundleEntry['resource']>;
  readonly request: NonNullable<BundleEntry['request']>;
}

function isNewPatient(entry: unknown): entry is NewPatient {
  const { resource, request } = (entry ?? {}) as BundleEntry;
  return (
    resource?.resourceType === 'Patient' &&
    request?.method === 'POST' &&
    request.url === 'Patient' &&
    request.ifNoneExist === undefined
  );
}

function withId(entry: NewPatient, id: string): BundleEntry {
  const request = { ...entry.request, method: 'PUT', url: `Patient/${id}` };
  return { ...entry, resource: { ...entry.resource, id }, request };
}

function referring(entry: BundleEntry, references: ReadonlyMap<string, string>): BundleEntry {
  const resource: unknown = entry?.resource;
  if (typeof resource !== 'object' || resource === null) return entry;
  return { ...entry, resource: rewriteReferences(resource as NewPatient['resource'], references) };
}
