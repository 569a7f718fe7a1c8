import type { Resource } from '../model/resource.js';
import { parseCanonical, toCanonical } from './canonical.js';
import {
  type CodeSystem,
  type Concept,
  type ConceptProperty,
  type Designation,
  toCodeSystem,
} from './code-system.js';
import { textOf } from './json-parts.js';

/** What supplements add to a concept. */
export interface Supplemented {
  readonly designations: readonly Designation[];
  readonly properties: readonly ConceptProperty[];
}

const NOTHING: Supplemented = { designations: [], properties: [] };

/**
 * The code system with what its supplements say of its concepts (https://hl7.org/fhir/R4/codesystem.html#supplements):
 * designations and properties. They have no codes of their own, and what they add never decides what a value set holds.
 * Supplements of another version of the code system are left out.
 */
export function withSupplements(system: CodeSystem, supplements: readonly Resource[]): CodeSystem {
  const own = supplements.filter((one) => isOf(one, system)).map(toCodeSystem);
  if (own.length === 0) return system;
  const concepts = new Map<string, Concept>(system.concepts);
  for (const concept of own.flatMap((one) => [...one.concepts.values()])) {
    const code = system.find(concept.code)?.code;
    const known = code === undefined ? undefined : concepts.get(code);
    if (known) concepts.set(known.code, { ...known, supplemented: addTo(known, concept) });
  }
  return {
    ...system,
    concepts,
    supplements: own.map(({ url, version }) => toCanonical(url, version)),
    find: (code) => {
      const found = system.find(code);
      return found && concepts.get(found.code);
    },
  };
}

function isOf(supplement: Resource, { url, version }: CodeSystem): boolean {
  const of = parseCanonical(textOf(supplement['supplements']) ?? '');
  return of.url === url && (of.version === undefined || of.version === version);
}

/** The display of a supplement is one more name. */
function addTo({ display, supplemented = NOTHING }: Concept, added: Concept): Supplemented {
  const names = added.display === undefined || added.display === display ? [] : [toName(added.display)];
  return {
    designations: [...supplemented.designations, ...names, ...added.designations],
    properties: [...supplemented.properties, ...added.properties],
  };
}

function toName(value: string): Designation {
  return { language: undefined, use: undefined, value };
}
