import type { Coding, FhirResource, Meta } from 'fhir/r4.js';
import { requiredValueSets, structureDefinitions } from '../../src/fhir/definitions.js';
import type { CompactElement, ElementType } from '../../src/fhir/r4/compact.js';
import type { Random } from '../contract/search/random.js';
import { SAMPLE_ELEMENTS, SAMPLE_VALUES } from './sample-values.js';

/** What generated resources are made from. */
export interface Generation {
  readonly random: Random;
  /** An element that may be left out is there once in so many times; 1 has them all. */
  readonly rarity: number;
  /** Resource types that references lead to, and the ids there are of each. */
  readonly targets: ReadonlySet<string>;
  readonly ids: readonly string[];
}

/** Elements of no interest to any search parameter, or that would nest without end. */
const LEFT_OUT = new Set(['id', 'meta', 'implicitRules', 'extension', 'modifierExtension', 'contained']);
/** Below these depths only mandatory elements are there; some elements contain themselves. */
const MAX_DEPTH = 6;
const MAX_REPEATED = 2;
/** Codes of a required value set that are used: enough for every code that an expression names. */
const CODES = 12;
const INNER_RESOURCES = [
  {
    resourceType: 'Composition',
    id: 'inner',
    status: 'final',
    type: { text: 'inner' },
    date: '2020',
    author: [{ display: 'Somebody' }],
    title: 'Inner',
  },
  { resourceType: 'MessageHeader', id: 'inner', eventUri: 'urn:inner', source: { endpoint: 'urn:inner' } },
];
const PROFILES = ['http://x.example/profile', 'http://x.example/profile/more', 'http://x.example/other'];
const SOURCES = ['http://lab.example', 'http://lab.example/a', 'urn:ward'];

/** A resource with the structure that its definition asks for; which elements it has is left to chance. */
export function generateResource(type: string, id: string, generation: Generation): FhirResource {
  const content = new Generator(generation).children(type, type, 0);
  return { resourceType: type, id, meta: generateMeta(generation.random), ...content } as FhirResource;
}

function generateMeta(random: Random): Meta {
  const codings = (SAMPLE_VALUES['Coding'] ?? []) as NonNullable<Meta['tag']>;
  return {
    tag: random.some(2, () => random.pick(codings.slice(0, 5))),
    ...(random.once(3) ? { security: [random.pick(codings.slice(0, 3))] } : {}),
    ...(random.once(2) ? { profile: [random.pick(PROFILES)] } : {}),
    ...(random.once(2) ? { source: random.pick(SOURCES) } : {}),
  };
}

class Generator {
  readonly #random: Random;
  readonly #generation: Generation;

  constructor(generation: Generation) {
    this.#random = generation.random;
    this.#generation = generation;
  }

  /** The members of an element: those that stand one step below `path` in the structure of `type`. */
  children(type: string, path: string, depth: number): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    const possible = childElements(type, path);
    for (const element of possible) {
      const mayBe = depth < (isRecursive(element) ? MAX_REPEATED : MAX_DEPTH);
      const isIncluded = element.min > 0 || (mayBe && this.#random.once(this.#generation.rarity));
      if (isIncluded) this.#add(members, { type, element, path, depth });
    }
    const [first] = possible;
    const isEmpty = Object.keys(members).length === 0;
    // An element has a value or members: https://hl7.org/fhir/R4/element.html#ele-1
    if (isEmpty && first) this.#add(members, { type, element: first, path, depth });
    return members;
  }

  #add(
    members: Record<string, unknown>,
    { type, element, path, depth }: { type: string; element: CompactElement; path: string; depth: number },
  ): void {
    const name = element.path.slice(path.length + 1);
    const kind = element.types.length === 0 ? undefined : this.#random.pick(element.types);
    const make = (): unknown => this.#value(type, element, kind, depth + 1);
    const key = name.endsWith('[x]') ? `${name.slice(0, -3)}${capitalized(kind?.code ?? '')}` : name;
    members[key] = element.max > 1 ? this.#random.some(3, make) : make();
  }

  #value(root: string, element: CompactElement, kind: ElementType | undefined, depth: number): unknown {
    if (kind === undefined) return this.children(root, element.contentReference ?? element.path, depth);
    if (kind.code === 'BackboneElement' || kind.code === 'Element')
      return this.children(root, element.path, depth);
    if (kind.code === 'Reference') return this.#reference(kind.targets ?? [...this.#generation.targets]);
    if (kind.code === 'Resource') return this.#random.pick(INNER_RESOURCES);
    const codings = codingsOf(element);
    if (codings.length > 0 && CODED.has(kind.code)) return inType(kind.code, this.#random.pick(codings));
    const samples = SAMPLE_ELEMENTS[element.path] ?? SAMPLE_VALUES[kind.code];
    return samples ? this.#random.pick(samples) : this.children(kind.code, kind.code, depth);
  }

  #reference(targets: readonly string[]): unknown {
    const possible = targets.filter((type) => this.#generation.targets.has(type));
    const any =
      targets.includes('Resource') || targets.length === 0 ? [...this.#generation.targets] : possible;
    const identifier = this.#random.pick(SAMPLE_VALUES['Identifier'] ?? []);
    if (any.length === 0 || this.#random.once(8)) return { identifier, display: 'Somebody' };
    if (this.#random.once(12))
      return { reference: `https://elsewhere.example/fhir/${this.#random.pick(any)}/1` };
    const type = any.includes('Patient') && this.#random.once(3) ? 'Patient' : this.#random.pick(any);
    const reference = `${type}/${this.#random.pick(this.#generation.ids)}`;
    if (this.#random.once(10)) return { reference: `${reference}/_history/1` };
    return this.#random.once(4) ? { reference, identifier } : { reference };
  }
}

const childrenOf = new Map<string, readonly CompactElement[]>();

function childElements(type: string, path: string): readonly CompactElement[] {
  const known = childrenOf.get(path);
  if (known) return known;
  const elements = structureDefinitions().get(type)?.elements ?? [];
  const depth = path.split('.').length + 1;
  const made = elements.filter(
    (element) =>
      element.path.startsWith(`${path}.`) &&
      element.path.split('.').length === depth &&
      element.max > 0 &&
      !LEFT_OUT.has(element.path.slice(path.length + 1)),
  );
  childrenOf.set(path, made);
  return made;
}

/** The first codes of the value set that an element is bound to, if its codes must be from there. */
function codingsOf({ binding }: CompactElement): readonly Coding[] {
  if (binding?.strength !== 'required') return [];
  return Object.entries(requiredValueSets()[binding.valueSet] ?? {})
    .flatMap(([system, codes]) => codes.map((code) => ({ system, code })))
    .slice(0, CODES);
}

const CODED = new Set(['code', 'Coding', 'CodeableConcept']);

function inType(type: string, coding: Coding): unknown {
  if (type === 'code') return coding.code;
  return type === 'Coding' ? coding : { coding: [coding] };
}

/** Whether the element has the content of one that it stands in. */
function isRecursive({ path, contentReference }: CompactElement): boolean {
  return contentReference !== undefined && path.startsWith(`${contentReference}.`);
}

function capitalized(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
