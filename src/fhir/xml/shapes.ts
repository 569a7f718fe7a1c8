import { structureDefinitions } from '../definitions.js';
import { childrenAt, type ElementChild } from '../element-children.js';
import { isPrimitive, PRIMITIVES } from '../validate/primitives.js';

/** What the elements of one place look like in XML: https://hl7.org/fhir/R4/xml.html */
export interface XmlShape {
  /** `Patient`, `HumanName`, `Patient.contact`. */
  readonly place: string;
  readonly isResource: boolean;
  /** Members that are attributes: `id` of what is no resource, and `url` of extensions. */
  readonly attributes: readonly string[];
  /** Members that are elements, by name. */
  readonly elements: ReadonlyMap<string, XmlElement>;
}

/** One member that is an element. */
export interface XmlElement {
  readonly name: string;
  /** `value[x]` of `valueQuantity`; the name itself of what is no choice. */
  readonly property: string;
  /** Where it stands among its siblings; all forms of a choice stand at one position. */
  readonly position: number;
  readonly isArray: boolean;
  readonly content: XmlContent;
}

/** What stands in an element. */
export type XmlContent =
  | { readonly kind: 'primitive'; readonly json: 'string' | 'number' | 'boolean' }
  | { readonly kind: 'complex'; readonly place: string }
  | { readonly kind: 'resource' }
  | { readonly kind: 'narrative' };

const shapes = new Map<string, XmlShape>();

/** The shape of a type, or of the path of an element with inline children; never asked for by what a client sends. */
export function shapeAt(place: string): XmlShape {
  const known = shapes.get(place);
  if (known) return known;
  const shape = makeShape(place);
  shapes.set(place, shape);
  return shape;
}

function makeShape(place: string): XmlShape {
  const isResource = structureDefinitions().get(place)?.kind === 'resource';
  const attributes = isResource ? [] : place === 'Extension' ? ['id', 'url'] : ['id'];
  const elements = new Map<string, XmlElement>();
  let position = 0;
  let before: ElementChild['element'] | undefined;
  for (const [name, child] of childrenAt(place)) {
    if (child.element !== before) position += 1;
    before = child.element;
    if (!attributes.includes(name)) elements.set(name, toElement(child, position));
  }
  return { place, isResource, attributes, elements };
}

function toElement(child: ElementChild, position: number): XmlElement {
  const { element, name } = child;
  const property = element.path.slice(element.path.lastIndexOf('.') + 1);
  return { name, property, position, isArray: element.max > 1, content: contentOf(child) };
}

function contentOf({ type, place }: ElementChild): XmlContent {
  if (type === 'xhtml') return { kind: 'narrative' };
  if (type === 'Resource') return { kind: 'resource' };
  return isPrimitive(type) ? { kind: 'primitive', json: PRIMITIVES[type].json } : { kind: 'complex', place };
}
