import type { CompactElement, CompactStructure } from '../r4/compact.js';

/** What is known of a value before any resource is seen. */
export interface StaticType {
  /** FHIR type name; `BackboneElement` and `Element` for parts that have no type of their own. */
  readonly type: string;
  /** Where its children are defined: a type name, or the path of a part (`Patient.contact`). */
  readonly location: string;
  /** The element that it came from; undefined for a resource. */
  readonly element: CompactElement | undefined;
}

/** One JSON property that an element name can mean. */
export interface Field {
  /** `valueQuantity` for the element `value`. */
  readonly property: string;
  readonly array: boolean;
  readonly type: StaticType;
}

const PARTS = new Set(['BackboneElement', 'Element']);

/** Answers questions about types and their elements from the structure definitions. */
export class TypeSchema {
  readonly #structures: ReadonlyMap<string, CompactStructure>;
  readonly #elements = new Map<string, ReadonlyMap<string, CompactElement>>();

  constructor(structures: ReadonlyMap<string, CompactStructure>) {
    this.#structures = structures;
  }

  /** The properties that an element name means below a value: several for a choice, none if it has no such element. */
  fields(parent: StaticType, name: string): readonly Field[] {
    const path = `${parent.location}.${name}`;
    const single = this.#element(path);
    if (single) return [{ property: name, array: single.max > 1, type: this.#partType(single) }];
    const choice = this.#element(`${path}[x]`);
    if (!choice) return [];
    return choice.types.map(({ code }) => ({
      property: name + code.charAt(0).toUpperCase() + code.slice(1),
      array: choice.max > 1,
      type: { type: code, location: code, element: choice },
    }));
  }

  /** Whether values of `type` are values of `ancestor` too. Letter case is ignored: R4 writes `DateTime` once. */
  isA(type: string, ancestor: string): boolean {
    const wanted = ancestor.toLowerCase();
    for (let name: string | null | undefined = type; name; name = this.#structures.get(name)?.base) {
      if (name.toLowerCase() === wanted) return true;
    }
    return false;
  }

  #partType(element: CompactElement): StaticType {
    const { contentReference, path, types } = element;
    if (contentReference) return { type: 'BackboneElement', location: contentReference, element };
    const type = types[0]?.code ?? 'Element';
    return { type, location: PARTS.has(type) ? path : type, element };
  }

  #element(path: string): CompactElement | undefined {
    const type = path.slice(0, path.indexOf('.'));
    const known = this.#elements.get(type) ?? this.#index(type);
    return known.get(path);
  }

  #index(type: string): ReadonlyMap<string, CompactElement> {
    const elements = this.#structures.get(type)?.elements ?? [];
    const index = new Map(elements.map((element) => [element.path, element]));
    this.#elements.set(type, index);
    return index;
  }
}

/** The static type of a whole resource. */
export function resourceStaticType(resourceType: string): StaticType {
  return { type: resourceType, location: resourceType, element: undefined };
}
