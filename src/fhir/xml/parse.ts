import { isUtf8 } from 'node:buffer';
import { isResourceType } from '../definitions.js';
import type { JsonLimits } from '../json.js';
import { restoreLiterals } from '../json/number-texts.js';
import { FHIR_NAMESPACE, XHTML_NAMESPACE, XMLNS_NAMESPACE, XSI_NAMESPACE } from './names.js';
import { NarrativeReader } from './narrative.js';
import { shapeAt, type XmlElement, type XmlShape } from './shapes.js';
import { xmlFault, XmlRefusal, xmlSteps, type XmlCursor, type XmlReader, type XmlTag } from './tokens.js';
import { jsonValue } from './value.js';

type Members = Record<string, unknown>;

/** An element that is open. */
type Frame = ObjectFrame | PrimitiveFrame | SlotFrame;

interface OpenElement {
  /** How deep the JSON is in which the element's members stand. */
  readonly depth: number;
  /** Name for paths. */
  readonly name: string;
}

/** A resource or an element with members. */
interface ObjectFrame extends OpenElement {
  readonly kind: 'object';
  readonly shape: XmlShape;
  readonly object: Members;
  /** The element that was read last. */
  last: XmlElement | undefined;
}

/** A primitive: its value is known, its extensions are still to come. */
interface PrimitiveFrame extends OpenElement {
  readonly kind: 'primitive';
  readonly shape: XmlShape;
  readonly element: XmlElement;
  readonly value: unknown;
  /** What JSON has under the name with an underscore. */
  readonly object: Members;
  last: XmlElement | undefined;
}

/** `contained` or `resource`: one resource stands in it. */
interface SlotFrame extends OpenElement {
  readonly kind: 'slot';
  readonly element: XmlElement;
  isFilled: boolean;
}

/**
 * Reads a FHIR resource from XML that nobody vouches for (https://hl7.org/fhir/R4/xml.html) into what `parseJson`
 * gives for the same resource as JSON, with the digits of its numbers and its narrative as they were sent. Refused
 * are what XML could be attacked with (see `readXml`), and what JSON would not have: elements that the definition
 * does not know or that stand in another order, attributes and text that do not belong there, other namespaces,
 * nesting that would be deeper than the limit as JSON, and more elements than JSON may have values. Comments are
 * passed over.
 *
 * Throws FhirError MALFORMED_XML, with line, column and path.
 */
export function parseXml(source: Uint8Array | string, limits: JsonLimits): unknown {
  const steps = parseXmlSteps(source, limits);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** The same in steps of some milliseconds, between which something else may be done. */
export function* parseXmlSteps(
  source: Uint8Array | string,
  limits: JsonLimits,
): Generator<undefined, unknown> {
  const text = withoutMark(typeof source === 'string' ? source : decodeUtf8(source));
  const reader = new ResourceReader(text, limits);
  yield* xmlSteps(text, reader);
  return restoreLiterals(reader.resource);
}

function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw xmlFault('The body is not valid UTF-8; send XML in UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** In XML a byte order mark is no part of the document: https://www.w3.org/TR/xml/#charencoding */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

class ResourceReader implements XmlReader {
  resource: Members | undefined;
  readonly #source: string;
  readonly #limits: JsonLimits;
  readonly #frames: Frame[] = [];
  #narrative: NarrativeReader | undefined;
  #elements = 0;

  constructor(source: string, limits: JsonLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  open(tag: XmlTag, cursor: XmlCursor): void {
    const { maxValues } = this.#limits;
    if (++this.#elements > maxValues) throw this.#refusal(`there are more than ${maxValues} elements`);
    const parent = this.#frames.at(-1);
    if (this.#narrative) this.#narrative.open(tag);
    else if (parent === undefined) this.resource = this.#openResource(tag, 1);
    else if (parent.kind === 'slot') this.#fill(parent, tag);
    else this.#openElement(parent, tag, cursor);
  }

  close(cursor: XmlCursor): void {
    if (this.#narrative) return this.#closeNarrative(this.#narrative, cursor);
    const frame = this.#frames.at(-1);
    if (frame?.kind === 'primitive') this.#closePrimitive(frame);
    if (frame?.kind === 'slot' && !frame.isFilled) throw this.#refusal('it is empty; put a resource in it');
    this.#frames.pop();
  }

  text(text: string): void {
    if (this.#narrative) this.#narrative.text(text);
    else if (/[^ \t\r\n]/.test(text))
      throw this.#refusal('there is text between elements; values stand in attributes');
  }

  section(text: string): void {
    if (this.#narrative) this.#narrative.section(text);
    else throw this.#refusal('there is a CDATA section between elements; values stand in attributes');
  }

  #openResource(tag: XmlTag, depth: number): Members {
    this.#assertFhir(tag);
    if (!isResourceType(tag.local))
      throw this.#refusal(`<${tag.local.slice(0, 64)}> is not a resource type of FHIR R4`);
    const object: Members = { resourceType: tag.local };
    this.#push({
      kind: 'object',
      name: tag.local,
      shape: shapeAt(tag.local),
      object,
      depth,
      last: undefined,
    });
    this.#attributes(tag, []);
    return object;
  }

  #fill(slot: SlotFrame, tag: XmlTag): void {
    if (slot.isFilled) throw this.#refusal('it has a resource already; one element holds one resource');
    slot.isFilled = true;
    const holder = this.#frames.at(-2) as ObjectFrame;
    addValue(holder.object, slot.element, this.#openResource(tag, slot.depth));
  }

  #openElement(parent: ObjectFrame | PrimitiveFrame, tag: XmlTag, cursor: XmlCursor): void {
    const element = this.#elementOf(parent, tag);
    const { content, name } = element;
    const depth = parent.depth + (element.isArray ? 2 : 1);
    if (content.kind === 'narrative') {
      this.#narrative = new NarrativeReader(tag, cursor, this.#path(name));
      return;
    }
    this.#assertFhir(tag);
    if (content.kind === 'primitive') return this.#openPrimitive(tag, element, { depth, json: content.json });
    if (content.kind === 'resource') {
      this.#push({ kind: 'slot', name, element, depth, isFilled: false });
      this.#attributes(tag, []);
      return;
    }
    const shape = shapeAt(content.place);
    const object: Members = {};
    addValue(parent.object, element, object);
    this.#push({ kind: 'object', name, shape, object, depth, last: undefined });
    Object.assign(object, this.#attributes(tag, shape.attributes));
  }

  #openPrimitive(
    tag: XmlTag,
    element: XmlElement,
    { depth, json }: { readonly depth: number; readonly json: 'string' | 'number' | 'boolean' },
  ): void {
    const { value: text, ...object } = this.#attributes(tag, PRIMITIVE_ATTRIBUTES);
    const value = text === undefined ? undefined : jsonValue(text, json, this.#limits);
    if (text !== undefined && value === undefined)
      throw this.#refusal(`'${text.slice(0, 40)}' is no ${json}`, element.name);
    const shape = shapeAt('Element');
    this.#push({
      kind: 'primitive',
      name: element.name,
      shape,
      element,
      value,
      object,
      depth,
      last: undefined,
    });
  }

  /** The element of the definition, where it may stand at this place. */
  #elementOf(parent: ObjectFrame | PrimitiveFrame, { local, name }: XmlTag): XmlElement {
    const element = parent.shape.elements.get(local);
    if (element === undefined)
      throw this.#refusal(`${parent.shape.place} has no element <${name.slice(0, 64)}>`);
    const { last } = parent;
    if (last !== undefined) this.#assertOrder(last, element);
    parent.last = element;
    return element;
  }

  #assertOrder(last: XmlElement, next: XmlElement): void {
    if (next.position > last.position || (next === last && next.isArray)) return;
    if (next.position < last.position)
      throw this.#refusal(
        `the elements of FHIR XML have an order; move <${next.name}> before <${last.name}>`,
      );
    throw this.#refusal(
      next === last ? `<${next.name}> is there twice` : `there is more than one ${next.property}`,
    );
  }

  #closePrimitive({ object, element, value, depth }: PrimitiveFrame): void {
    const hasMembers = Object.keys(object).length > 0;
    if (value === undefined && !hasMembers)
      throw this.#refusal('it is empty; give it a value, or leave it out');
    if (depth - (hasMembers ? 0 : 1) > this.#limits.maxDepth) throw this.#tooDeep();
    const holder = this.#frames.at(-2) as ObjectFrame;
    addPrimitive(holder.object, element, { value, members: hasMembers ? object : undefined });
  }

  #closeNarrative(narrative: NarrativeReader, cursor: XmlCursor): void {
    const text = narrative.close(cursor, this.#source);
    if (text === undefined) return;
    this.#narrative = undefined;
    (this.#frames.at(-1) as ObjectFrame).object['div'] = text;
  }

  #push(frame: Frame): void {
    if (frame.kind !== 'primitive' && frame.depth > this.#limits.maxDepth) throw this.#tooDeep();
    this.#frames.push(frame);
  }

  /** The values of attributes that may be there. */
  #attributes(tag: XmlTag, allowed: readonly string[]): Record<string, string> {
    const values: Record<string, string> = {};
    for (const { name, local, prefix, uri, value } of tag.attributes) {
      if (prefix === '' && allowed.includes(local)) values[local] = value;
      else if (uri !== XMLNS_NAMESPACE && !this.#isSchemaHint(local, uri))
        throw this.#refusal(`<${tag.name.slice(0, 64)}> may not have the attribute ${name.slice(0, 64)}`);
    }
    return values;
  }

  /** Where a schema is to be found is nothing that the server wants to know. */
  #isSchemaHint(local: string, uri: string): boolean {
    const isRoot = this.#frames.length === 1;
    return isRoot && uri === XSI_NAMESPACE && /^(?:noNamespaceS|s)chemaLocation$/.test(local);
  }

  #assertFhir({ name, uri }: XmlTag): void {
    if (uri === FHIR_NAMESPACE) return;
    const where = uri === XHTML_NAMESPACE ? "XHTML's" : uri === '' ? 'no' : 'another';
    throw this.#refusal(`<${name.slice(0, 64)}> is of ${where} namespace; FHIR's is ${FHIR_NAMESPACE}`);
  }

  #tooDeep(): XmlRefusal {
    return this.#refusal(`nested deeper than ${this.#limits.maxDepth} levels`);
  }

  #refusal(what: string, inner?: string): XmlRefusal {
    return new XmlRefusal(what, this.#path(inner));
  }

  #path(inner?: string): string {
    const names = this.#frames.map(({ name }) => name);
    return (inner === undefined ? names : [...names, inner]).join('.');
  }
}

const PRIMITIVE_ATTRIBUTES = ['id', 'value'] as const;

function addValue(holder: Members, { name, isArray }: XmlElement, value: object): void {
  if (isArray) listOf(holder, name).push(value);
  else holder[name] = value;
}

/** Values and their members stand in two lists of one length: https://hl7.org/fhir/R4/json.html#primitive */
function addPrimitive(
  holder: Members,
  { name, isArray }: XmlElement,
  { value, members }: { readonly value: unknown; readonly members: Members | undefined },
): void {
  if (!isArray) {
    if (value !== undefined) holder[name] = value;
    if (members) holder[`_${name}`] = members;
    return;
  }
  const values = listOf(holder, name);
  values.push(value ?? null);
  if (members === undefined && holder[`_${name}`] === undefined) return;
  const list = listOf(holder, `_${name}`);
  while (list.length < values.length - 1) list.push(null);
  list.push(members ?? null);
}

function listOf(holder: Members, name: string): unknown[] {
  return (holder[name] ??= []) as unknown[];
}
