import type { Bundle as AnyBundle, FhirResource } from 'fhir/r4.js';
import type { FhirClient } from '../support/fhir-client.js';

/** A bundle of resources. */
export type Bundle = AnyBundle<FhirResource>;

/** The link of a page with the given relation. */
export function linkOf({ link }: Bundle, relation: string): string | undefined {
  return link?.find((one) => one.relation === relation)?.url;
}

/** All pages of a search, by its next links. @throws Error with the answer if one is no 200 */
export async function pagesOf(client: FhirClient, search: string): Promise<Bundle[]> {
  const pages: Bundle[] = [];
  for (let next: string | undefined = search; next !== undefined;) {
    const { status, body, text } = await client.get<Bundle>(next);
    if (status !== 200) throw new Error(`${search} answered ${status}: ${text}`);
    pages.push(body);
    next = linkOf(body, 'next');
  }
  return pages;
}

/** Resources of one search mode, in the order of the pages. */
export function entriesOf(pages: readonly Bundle[], mode: 'match' | 'include' | 'outcome'): FhirResource[] {
  const entries = pages.flatMap(({ entry = [] }) => entry).filter(({ search }) => search?.mode === mode);
  return entries.flatMap(({ resource }) => resource ?? []);
}

/** The resources that were searched for. */
export function matchesOf(pages: readonly Bundle[]): FhirResource[] {
  return entriesOf(pages, 'match');
}

/** `Type/id`, in order. */
export function namesOf(resources: readonly FhirResource[]): string[] {
  return resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
}
