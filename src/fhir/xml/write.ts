import { isResourceType } from '../definitions.js';
import { numberText } from '../json.js';
import { escapeValue, notInXml } from './escape.js';
import { FHIR_NAMESPACE } from './names.js';
import { narrativeXml } from './narrative.js';
import { shapeAt, type XmlElement, type XmlShape } from './shapes.js';

type Members = Readonly<Record<string, unknown>>;

/** How XML is to look. */
export interface XmlStyle {
  /** Indented by two spaces, for people; else in one line. Values and narrative are the same. */
  readonly pretty: boolean;
}

const COMPACT: XmlStyle = { pretty: false };

/**
 * A resource as FHIR XML in one text; see `xmlPieces`.
 * @throws FhirError NOT_ACCEPTABLE for what XML cannot hold
 */
export function writeXml(resource: object, style: XmlStyle = COMPACT): string {
  return [...xmlPieces(resource, style)].join('');
}

/**
 * A resource as FHIR XML (https://hl7.org/fhir/R4/xml.html), a piece for each entry or other member of its first
 * level, so that whoever writes a large Bundle may do something else in between. Elements are in the order of their
 * definition, numbers as they were sent.
 *
 * Nothing is left out in silence: members that the definition does not know, characters that XML 1.0 does not have
 * and narrative that is not well-formed throw.
 * @throws FhirError NOT_ACCEPTABLE
 */
export function* xmlPieces(resource: object, style: XmlStyle = COMPACT): Generator<string, void> {
  const writer = new XmlWriter(style);
  const { place, members } = resourceParts(resource);
  yield `<?xml version="1.0" encoding="UTF-8"?>${style.pretty ? '\n' : ''}<${place} xmlns="${FHIR_NAMESPACE}">`;
  const shape = shapeAt(place);
  for (const element of elementsOf(members, shape)) {
    const values = element.isArray ? lengthOf(members, element) : 1;
    for (let index = 0; index < values; index++) yield writer.member(members, element, { index, depth: 1 });
  }
  yield `${style.pretty ? '\n' : ''}</${place}>`;
}

/** Which of an element's values is written, and how deep it stands. */
interface Spot {
  readonly index: number;
  readonly depth: number;
}

/** A value as one element, and its extensions where it is primitive. */
interface Written {
  readonly value: unknown;
  /** The digits of a number. */
  readonly text: string | undefined;
  readonly extra: unknown;
}

class XmlWriter {
  constructor(private readonly style: XmlStyle) {}

  /** One value of an element of the resource or element that has these members. */
  member(members: Members, element: XmlElement, { index, depth }: Spot): string {
    const { name, isArray } = element;
    const held: object = isArray ? listOf(members[name]) : members;
    const key = isArray ? String(index) : name;
    const extra = members[`_${name}`];
    const written = {
      value: (held as Members)[key],
      text: numberText(held, key),
      extra: isArray ? listOf(extra)[index] : extra,
    };
    return `${this.newline(depth)}${this.element(element, written, depth)}`;
  }

  private element(element: XmlElement, written: Written, depth: number): string {
    const { name, content } = element;
    switch (content.kind) {
      case 'primitive':
        return this.primitive(name, written, depth);
      case 'complex':
        return this.complex(
          name,
          { members: objectOf(written.value, name), shape: shapeAt(content.place) },
          depth,
        );
      case 'resource':
        return this.tags(name, '', this.resource(written.value, depth + 1), depth);
      case 'narrative':
        return narrativeXml(textOf(written.value, name));
    }
  }

  private primitive(name: string, { value, text, extra }: Written, depth: number): string {
    const written = value === undefined || value === null ? '' : ` value="${text ?? valueText(value, name)}"`;
    if (extra === undefined || extra === null) return `<${name}${written}/>`;
    const shape = shapeAt('Element');
    const members = objectOf(extra, name);
    const attributes = `${attributesOf(members, shape)}${written}`;
    return this.tags(name, attributes, this.members(members, shape, depth + 1), depth);
  }

  private complex(
    name: string,
    { members, shape }: { readonly members: Members; readonly shape: XmlShape },
    depth: number,
  ): string {
    return this.tags(name, attributesOf(members, shape), this.members(members, shape, depth + 1), depth);
  }

  private resource(value: unknown, depth: number): string {
    const { place, members } = resourceParts(value);
    const inner = this.members(members, shapeAt(place), depth + 1);
    return `${this.newline(depth)}${this.tags(place, '', inner, depth)}`;
  }

  private members(members: Members, shape: XmlShape, depth: number): string {
    let text = '';
    for (const element of elementsOf(members, shape)) {
      const values = element.isArray ? lengthOf(members, element) : 1;
      for (let index = 0; index < values; index++) text += this.member(members, element, { index, depth });
    }
    return text;
  }

  private tags(name: string, attributes: string, inner: string, depth: number): string {
    if (inner === '') return `<${name}${attributes}/>`;
    return `<${name}${attributes}>${inner}${this.newline(depth)}</${name}>`;
  }

  private newline(depth: number): string {
    return this.style.pretty ? `\n${'  '.repeat(depth)}` : '';
  }
}

function resourceParts(value: unknown): { readonly place: string; readonly members: Members } {
  const members = objectOf(value, 'resource');
  const place = members['resourceType'];
  if (typeof place !== 'string' || !isResourceType(place)) throw notInXml('it holds no FHIR resource');
  return { place, members };
}

/** The elements that have values, in the order of the definition. @throws FhirError for members that are none */
function elementsOf(members: Members, shape: XmlShape): readonly XmlElement[] {
  const found: XmlElement[] = [];
  let isSorted = true;
  for (const name of Object.keys(members)) {
    const element = elementNamed(name, members, shape);
    if (element === undefined) continue;
    isSorted &&= element.position >= (found.at(-1)?.position ?? 0);
    found.push(element);
  }
  return isSorted ? found : found.toSorted((one, other) => one.position - other.position);
}

/** The element of a member; undefined where the member is none, or is written with another. */
function elementNamed(name: string, members: Members, shape: XmlShape): XmlElement | undefined {
  if (members[name] === undefined || members[name] === null) return undefined;
  const element = shape.elements.get(name);
  if (element !== undefined) return element;
  if (shape.attributes.includes(name) || (shape.isResource && name === 'resourceType')) return undefined;
  const plain = name.startsWith('_') ? shape.elements.get(name.slice(1)) : undefined;
  if (plain?.content.kind !== 'primitive')
    throw notInXml(`${shape.place} has the member '${name.slice(0, 64)}', which is no element of FHIR`);
  const value = members[plain.name];
  return value === undefined || value === null ? plain : undefined;
}

function attributesOf(members: Members, shape: XmlShape): string {
  let text = '';
  for (const name of shape.attributes) {
    const value = members[name];
    if (value !== undefined && value !== null) text += ` ${name}="${valueText(value, name)}"`;
  }
  return text;
}

/** How many values an element has: a value, its members or both stand at one index. */
function lengthOf(members: Members, { name }: XmlElement): number {
  return Math.max(listOf(members[name]).length, listOf(members[`_${name}`]).length);
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw notInXml('it has one value where FHIR has a list');
  return value;
}

function objectOf(value: unknown, name: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw notInXml(`'${name}' is no object`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw notInXml(`'${name}' is no text`);
}

function valueText(value: unknown, name: string): string {
  if (typeof value === 'string') return escapeValue(value);
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  throw notInXml(`'${name}' is no primitive value`);
}
