import type { Resource } from '../../src/model/resource.js';
import { Composition, type ComposeQuestion } from '../../src/terminology/compose.js';
import { Library } from '../../src/terminology/library.js';
import { ShippedTerminology } from '../../src/terminology/shipped.js';
import type { TerminologySource } from '../../src/terminology/terminology-source.js';
import { toValueSet } from '../../src/terminology/value-set.js';

/** Definitions that are at hand without a database. */
export function sourceOf(...resources: readonly Resource[]): TerminologySource {
  return {
    find: async (type, url) => resources.filter((one) => one.resourceType === type && one['url'] === url),
    supplements: async (url) => resources.filter((one) => String(one['supplements']).split('|')[0] === url),
    withValueSet: async (url) =>
      resources.filter((one) => one.resourceType === 'CodeSystem' && one['valueSet'] === url),
    read: async (type, id) => resources.find((one) => one.resourceType === type && one.id === id),
    revision: async () => String(resources.length),
    forget: () => undefined,
  };
}

/** What ships, and these. */
export function libraryOf(...resources: readonly Resource[]): Library {
  return new Library(sourceOf(...resources), new ShippedTerminology());
}

/** A code system of codes; `a+b>c` is c below a and b. */
export function systemOf(url: string, codes: string, rest: object = {}): Resource {
  const concept = codes.split(' ').map((text) => {
    const [code = '', parents] = text.split('>').toReversed();
    const property = (parents?.split('+') ?? []).map((valueCode) => ({ code: 'parent', valueCode }));
    return { code, display: `The ${code}`, property };
  });
  return { resourceType: 'CodeSystem', url, status: 'active', content: 'complete', concept, ...rest };
}

/** A value set of these includes. */
export function setOf(
  url: string,
  include: readonly object[],
  compose: object = {},
  rest: object = {},
): Resource {
  return { resourceType: 'ValueSet', url, status: 'active', compose: { include, ...compose }, ...rest };
}

/** `system|code` of everything in the value set; with one namespace `urn:`. */
export async function codesOf(
  library: Library,
  resource: Resource,
  question: ComposeQuestion = {},
): Promise<readonly string[]> {
  const members = await new Composition(library, question).members(toValueSet(resource));
  return [...members].map(({ system, code }) => `${system.replace('urn:', '')}|${code}`);
}
