/**
 * The shapes of the compact R4 definitions that the build writes and `definitions.ts` reads: what the server
 * needs of https://hl7.org/fhir/R4/structuredefinition.html and its siblings, without narrative.
 */

import type { Lift } from '../uplift.js';

/** A rule on an element (https://hl7.org/fhir/R4/conformance-rules.html#constraints). */
export interface CompactConstraint {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  /** FHIRPath; empty where the definition has none. */
  readonly expression: string;
}

/** One type that an element may have. */
export interface ElementType {
  /** A FHIR type name: `string`, `Reference`, `BackboneElement`, … Never a FHIRPath system type. */
  readonly code: string;
  /** `Reference` and `canonical`: the resource types it may point to; left out where any is allowed. */
  readonly targets?: readonly string[];
}

/** The value set that an element's codes come from. */
export interface ElementBinding {
  readonly strength: 'required' | 'extensible' | 'preferred' | 'example';
  /** Canonical URL without version. */
  readonly valueSet: string;
  /** The one code system of a required value set, where it has exactly one. */
  readonly system?: string;
}

/** One element of a snapshot. */
export interface CompactElement {
  /** `Patient.contact.name`; a choice ends with `[x]`. */
  readonly path: string;
  readonly min: number;
  /** Infinity for `*`. */
  readonly max: number;
  /** Empty for the root and for an element with a content reference. */
  readonly types: readonly ElementType[];
  readonly constraints: readonly CompactConstraint[];
  readonly binding?: ElementBinding;
  /** Path of the element whose content this one has: `Bundle.link`. */
  readonly contentReference?: string;
  readonly isModifier?: true;
  readonly isSummary?: true;
}

/** One resource type, datatype or primitive. */
export interface CompactStructure {
  /** The type's name: `Patient`, `HumanName`, `boolean`. */
  readonly type: string;
  readonly url: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type';
  readonly abstract: boolean;
  /** Name of the type it specialises; null for `Element` and `Resource`. */
  readonly base: string | null;
  /** In the order of the definition; the first is the type itself. */
  readonly elements: readonly CompactElement[];
}

/** A search parameter as published (https://hl7.org/fhir/R4/searchparameter.html). */
export interface SearchParameterDefinition {
  readonly code: string;
  readonly url: string;
  readonly type:
    'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';
  /** Resource types, or `Resource` and `DomainResource`. */
  readonly base: readonly string[];
  /** FHIRPath; empty where the definition has none. */
  readonly expression: string;
  readonly description: string;
  readonly target?: readonly string[];
  /** Parts of a composite parameter. */
  readonly components?: readonly SearchComponent[];
  /** Only lifted values are indexed; nobody searches by such a definition. */
  readonly lift?: Lift;
}

/** One part of a composite parameter: the URL of the parameter it is, and where its value is found. */
export interface SearchComponent {
  readonly definition: string;
  readonly expression: string;
  /** Its type, where no definition tells it. */
  readonly type?: SearchParameterDefinition['type'];
  /** Evaluated by the FHIRPath engine, even if the compiler knows it: other parts of its parameter have to be. */
  readonly byEngine?: true;
}

/** Compartment code (`Patient`) to resource type to search-parameter codes; only types that have any. */
export type CompartmentDefinitions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Value set URL to code system to codes, for the value sets of required bindings that can be listed. */
export type RequiredValueSets = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Structures as the file holds them: constraints once, elements naming them by position, `*` for Infinity. */
export interface PackedStructures {
  readonly constraints: readonly CompactConstraint[];
  readonly structures: readonly PackedStructure[];
}

export interface PackedStructure extends Omit<CompactStructure, 'elements'> {
  readonly elements: readonly PackedElement[];
}

/** Left out where they say nothing: min 0, max 1, no types, no constraints. */
export interface PackedElement extends Partial<Omit<CompactElement, 'path' | 'max' | 'constraints'>> {
  readonly path: string;
  readonly max?: number | '*';
  readonly constraints?: readonly number[];
}

/** The structures as the rest of the server reads them. */
export function unpackStructures(packed: PackedStructures): ReadonlyMap<string, CompactStructure> {
  return new Map(
    packed.structures.map((structure) => [
      structure.type,
      {
        ...structure,
        elements: structure.elements.map((element) => unpackElement(element, packed.constraints)),
      },
    ]),
  );
}

function unpackElement(element: PackedElement, constraints: readonly CompactConstraint[]): CompactElement {
  return {
    ...element,
    min: element.min ?? 0,
    max: element.max === '*' ? Infinity : (element.max ?? 1),
    types: element.types ?? [],
    constraints: (element.constraints ?? []).flatMap((position) => constraints[position] ?? []),
  };
}

/** The reverse of `unpackStructures`, for the build. */
export function packStructures(structures: readonly CompactStructure[]): PackedStructures {
  const positions = new Map<string, number>();
  const constraints: CompactConstraint[] = [];
  const positionOf = (constraint: CompactConstraint): number => {
    const key = JSON.stringify(constraint);
    const known = positions.get(key);
    if (known !== undefined) return known;
    positions.set(key, constraints.length);
    return constraints.push(constraint) - 1;
  };
  const packed = structures.map((structure) => ({
    ...structure,
    elements: structure.elements.map((element) => packElement(element, positionOf)),
  }));
  return { constraints, structures: packed };
}

function packElement(
  element: CompactElement,
  positionOf: (constraint: CompactConstraint) => number,
): PackedElement {
  const { path, min, max, types, constraints, ...rest } = element;
  return {
    path,
    ...(min === 0 ? {} : { min }),
    ...(max === 1 ? {} : { max: max === Infinity ? '*' : max }),
    ...(types.length === 0 ? {} : { types }),
    ...(constraints.length === 0 ? {} : { constraints: constraints.map(positionOf) }),
    ...rest,
  };
}
