import type { FhirResource } from 'fhir/r4.js';
import type { FhirClient } from '../support/fhir-client.js';
import { matchesOf, type Bundle } from './pages.js';

/** Stores resources under their own ids in one transaction. @throws Error where it is refused */
export async function storeAll(tenant: FhirClient, resources: readonly FhirResource[]): Promise<void> {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const { status, text } = await tenant.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  if (status !== 200) throw new Error(text);
}

/** The ids that a search finds, sorted, with commas; or the status and text of the answer. */
export async function idsFound(tenant: FhirClient, search: string): Promise<string> {
  const { status, body, text } = await tenant.get<Bundle>(search);
  if (status !== 200) return `${status} ${text}`;
  return matchesOf([body])
    .map(({ id }) => id)
    .toSorted()
    .join();
}
