import { structureDefinitions } from './definitions.js';
import type { CompactElement, CompactStructure } from './r4/compact.js';

/** One JSON member that elements at some place may have. */
export interface ElementChild {
  readonly element: CompactElement;
  /** JSON name without underscore: `valueQuantity`. */
  readonly name: string;
  /** FHIR type of the values: `Quantity`. Empty for a content reference. */
  readonly type: string;
  /** The place whose children the values have: `Quantity`, `Patient.contact`. */
  readonly place: string;
}

const cache = new Map<string, ReadonlyMap<string, ElementChild>>();
const NONE: ReadonlyMap<string, ElementChild> = new Map();

/**
 * The members that an object at this place may have, by JSON name, in the order of the definition. A place is a
 * type (`Patient`, `HumanName`) or the path of an element with inline children (`Patient.contact`); an unknown
 * place has none. Values of type Resource have the place that their `resourceType` says.
 */
export function childrenAt(place: string): ReadonlyMap<string, ElementChild> {
  const known = cache.get(place);
  if (known) return known;
  const structure = structureDefinitions().get(place.split('.', 1)[0]!);
  if (!structure) return NONE;
  const children = new Map(childrenOf(structure, place).map((child) => [child.name, child]));
  if (children.size > 0) cache.set(place, children);
  return children;
}

/** The place of a value: that of its own type where the definition says no more than Resource. */
export function placeOf(child: ElementChild, value: unknown): string {
  if (child.type !== 'Resource' || typeof value !== 'object' || value === null) return child.place;
  return String((value as { resourceType?: unknown }).resourceType);
}

function childrenOf(structure: CompactStructure, place: string): ElementChild[] {
  return structure.elements
    .filter(({ path }) => path.startsWith(`${place}.`) && !path.includes('.', place.length + 1))
    .flatMap((element) => namesOf(element, structure));
}

function namesOf(element: CompactElement, structure: CompactStructure): ElementChild[] {
  const name = element.path.slice(element.path.lastIndexOf('.') + 1);
  if (name.endsWith('[x]')) {
    return element.types.map(({ code }) => ({
      element,
      name: `${name.slice(0, -3)}${code.charAt(0).toUpperCase()}${code.slice(1)}`,
      type: code,
      place: code,
    }));
  }
  const type = element.types[0]?.code ?? '';
  const inline = type === 'BackboneElement' || type === 'Element';
  const hasChildren = inline && structure.elements.some(({ path }) => path.startsWith(`${element.path}.`));
  return [{ element, name, type, place: element.contentReference ?? (hasChildren ? element.path : type) }];
}
