import { FhirError } from '../../model/errors.js';
import { escapeText, escapeValue, notInXml } from './escape.js';
import { htmlEntity } from './html-entities.js';
import { XHTML_NAMESPACE, XMLNS_NAMESPACE } from './names.js';
import { readXml, XmlRefusal, type XmlCursor, type XmlReader, type XmlTag } from './tokens.js';

/** Elements of narrative nested deeper than this are refused, as they are in JSON. */
const MAX_NESTING = 200;
const XML_ENTITIES: ReadonlySet<string> = new Set(['amp', 'lt', 'gt', 'quot', 'apos']);

/**
 * Reads the `<div>` of a narrative. Its text is kept as it was sent, byte by byte, if it would mean the same
 * elsewhere. One that has prefixes, CDATA sections or its namespace from outside is written anew.
 */
export class NarrativeReader {
  readonly #open: string[] = [];
  readonly #start: number;
  readonly #path: string;
  #rewritten = '';
  #standsAlone: boolean;

  constructor(div: XmlTag, cursor: XmlCursor, path: string) {
    this.#start = cursor.start();
    this.#path = path;
    this.#standsAlone = div.attributes.some(({ name }) => name === 'xmlns');
    this.open(div);
  }

  open(tag: XmlTag): void {
    const { local, name, uri, prefix, attributes, isEmpty } = tag;
    if (uri !== XHTML_NAMESPACE) throw this.#refusal(`<${name.slice(0, 40)}> is not of XHTML's namespace`);
    if (this.#open.length >= MAX_NESTING)
      throw this.#refusal(`narrative is nested deeper than ${MAX_NESTING} levels`);
    if (prefix !== '') this.#standsAlone = false;
    const written = attributes.map((attribute) => this.#attribute(attribute)).join('');
    const namespace = this.#open.length === 0 ? ` xmlns="${XHTML_NAMESPACE}"` : '';
    this.#rewritten += `<${local}${namespace}${written}${isEmpty ? '/>' : '>'}`;
    this.#open.push(isEmpty ? '' : local);
  }

  text(text: string): void {
    this.#rewritten += escapeText(text);
  }

  section(text: string): void {
    this.#standsAlone = false;
    this.text(text);
  }

  /** The whole narrative where this was its last tag, else undefined. */
  close(cursor: XmlCursor, source: string): string | undefined {
    const name = this.#open.pop();
    if (name !== '') this.#rewritten += `</${name}>`;
    if (this.#open.length > 0) return undefined;
    return this.#standsAlone ? source.slice(this.#start, cursor.end()) : this.#rewritten;
  }

  #attribute({ name, uri, prefix, value }: XmlTag['attributes'][number]): string {
    if (uri === XMLNS_NAMESPACE) return '';
    if (prefix !== '' && prefix !== 'xml')
      throw this.#refusal(`the attribute ${name.slice(0, 40)} of a narrative is of another namespace`);
    return ` ${name}="${escapeValue(value)}"`;
  }

  #refusal(what: string): XmlRefusal {
    return new XmlRefusal(what, this.#path);
  }
}

/**
 * The text of a `Narrative.div` as it stands in XML: as it is, but for HTML's entities, which become numeric
 * references, and the namespace, which is added where it is missing.
 * @throws FhirError NOT_ACCEPTABLE for what is not one well-formed `<div>`
 */
export function narrativeXml(text: string): string {
  const plain = withoutHtmlEntities(text.trim());
  const uri = checkRoot(plain, '');
  if (uri === XHTML_NAMESPACE) return plain;
  const declared = plain.replace(/^<div/, `<div xmlns="${XHTML_NAMESPACE}"`);
  checkRoot(declared, XHTML_NAMESPACE);
  return declared;
}

function withoutHtmlEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&([A-Za-z][A-Za-z0-9]{1,31});/g, (reference, name: string) => {
    const point = XML_ENTITIES.has(name) ? undefined : htmlEntity(name);
    return point === undefined ? reference : `&#${point};`;
  });
}

/** The namespace that all elements of the narrative are of: one of XHTML's and `besides`. */
function checkRoot(text: string, besides: string): string {
  const check = new NarrativeCheck(besides);
  try {
    readXml(text, check);
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    throw notInXml('a narrative is not well-formed XHTML');
  }
  return check.uri ?? '';
}

class NarrativeCheck implements XmlReader {
  uri: string | undefined;

  constructor(private readonly besides: string) {}

  open({ name, uri }: XmlTag): void {
    if (this.uri === undefined && name !== 'div') throw new XmlRefusal('it is no <div>', '');
    this.uri ??= uri;
    if (uri !== this.uri || (uri !== XHTML_NAMESPACE && uri !== this.besides))
      throw new XmlRefusal('it has an element of another namespace', '');
  }

  close(): void {}
  text(): void {}
  section(): void {}
}
