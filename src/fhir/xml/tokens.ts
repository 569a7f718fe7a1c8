import { SaxesParser, type SaxesAttributeNS, type SaxesTagNS } from 'saxes';
import { FhirError } from '../../model/errors.js';

/** A start tag, its names resolved to namespaces. */
export interface XmlTag {
  /** As written: `f:Patient`. */
  readonly name: string;
  /** Without prefix: `Patient`. */
  readonly local: string;
  /** Empty where there is none. */
  readonly prefix: string;
  /** Its namespace; empty for none. */
  readonly uri: string;
  readonly attributes: readonly XmlAttribute[];
  readonly isEmpty: boolean;
}

/** One attribute; declarations of namespaces are among them. */
export interface XmlAttribute {
  readonly name: string;
  readonly local: string;
  readonly prefix: string;
  /** Its namespace; empty for none. */
  readonly uri: string;
  readonly value: string;
}

/** Is told what a document consists of, in its order. Whatever it throws ends the reading. */
export interface XmlReader {
  open(tag: XmlTag, cursor: XmlCursor): void;
  close(cursor: XmlCursor): void;
  text(text: string): void;
  section(text: string): void;
}

/** Where the tag that is told of stands in the text. */
export interface XmlCursor {
  /** Index of its `<`. */
  start(): number;
  /** Index after its `>`. */
  end(): number;
}

/** So many characters are read in one step: some milliseconds. */
const STEP = 64 * 1024;
/** More attributes than any element of FHIR or of XHTML has. */
const MAX_ATTRIBUTES = 64;
const UNDEFINED_ENTITY = /undefined entity|entity name/;
const ENTITY_ADVICE =
  'an entity that XML does not define, or an "&" that begins none; write the character itself, &amp; or a numeric reference';

/**
 * Reads an XML 1.0 document that nobody vouches for, in one pass that takes time linear in its length. It must be
 * well-formed, also by its namespaces. Whatever makes XML dangerous is refused: document type declarations, and with
 * them all entities but the five of XML; processing instructions; encodings other than UTF-8; elements of very many
 * attributes. How deep elements are nested is for the reader to limit.
 *
 * Throws FhirError MALFORMED_XML with line and column, and what the reader throws.
 */
export function readXml(text: string, reader: XmlReader): void {
  for (const _step of xmlSteps(text, reader)) continue;
}

/** The same in steps, between which something else may be done. */
export function xmlSteps(text: string, reader: XmlReader): Generator<undefined, void> {
  return new Tokens(text, reader).read();
}

/** The error for a document, with the place where that is known. */
export function xmlFault(what: string, where?: XmlPlace): FhirError {
  const path = where?.path === undefined || where.path === '' ? '' : ` (${where.path.slice(0, 400)})`;
  const place = where === undefined ? '' : `Line ${where.line}, column ${where.column}${path}: `;
  return new FhirError('MALFORMED_XML', `${place}${what}.`);
}

/** A place in a document, as people count. */
export interface XmlPlace {
  readonly line: number;
  readonly column: number;
  /** `Patient.name.given`; left out outside of elements. */
  readonly path?: string;
}

/** Thrown by readers: what is wrong with the token that they were told of. It becomes an error with its place. */
export class XmlRefusal extends Error {
  constructor(
    readonly what: string,
    readonly path: string,
  ) {
    super(what);
  }
}

class Tokens implements XmlCursor {
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #text: string;
  readonly #reader: XmlReader;
  #attributes: XmlAttribute[] = [];
  /** Whether the root element has begun. */
  #isInside = false;

  constructor(text: string, reader: XmlReader) {
    this.#text = text;
    this.#reader = reader;
  }

  *read(): Generator<undefined, void> {
    this.#listen();
    try {
      for (let at = 0; at < this.#text.length; at += STEP) {
        this.#parser.write(this.#text.slice(at, at + STEP));
        yield;
      }
      this.#parser.close();
    } catch (thrown) {
      throw this.#toError(thrown);
    }
  }

  start(): number {
    return this.#text.lastIndexOf('<', this.#parser.position - 1);
  }

  end(): number {
    return this.#parser.position;
  }

  /** No more than six listeners: with the seventh V8 makes a dictionary of the parser, which is four times slower. */
  #listen(): void {
    const parser = this.#parser;
    const reader = this.#reader;
    // Their namespaces are known when the tag ends.
    parser.on('attribute', (attribute) => {
      if (this.#attributes.push(attribute as SaxesAttributeNS) > MAX_ATTRIBUTES)
        this.#refuse(`an element has more than ${MAX_ATTRIBUTES} attributes`);
    });
    parser.on('opentag', (tag) => {
      if (!this.#isInside) this.#enter();
      const attributes = this.#attributes;
      this.#attributes = [];
      reader.open(toTag(tag, attributes), this);
    });
    parser.on('closetag', () => reader.close(this));
    parser.on('text', (text) => reader.text(text));
    parser.on('cdata', (text) => reader.section(text));
    parser.on('processinginstruction', () =>
      this.#refuse('a processing instruction is not allowed; leave it out'),
    );
  }

  /** What stands before the root element has been read, and nothing was done with it. */
  #enter(): void {
    this.#isInside = true;
    const { version = '1.0', encoding = 'UTF-8' } = this.#parser.xmlDecl;
    if (this.#text.slice(0, this.start()).includes('<!DOCTYPE'))
      this.#refuse('a document type declaration (DOCTYPE) is not allowed; leave it out');
    if (version !== '1.0') this.#refuse('the XML version must be 1.0');
    if (!/^utf-?8$/i.test(encoding))
      this.#refuse(`the encoding '${encoding.slice(0, 40)}' is not supported; send UTF-8`);
  }

  #refuse(what: string): never {
    throw new XmlRefusal(what, '');
  }

  /** The tokenizer throws errors that begin with the place; whatever else is thrown is not about the document. */
  #toError(thrown: unknown): unknown {
    if (thrown instanceof XmlRefusal) return this.#fault(thrown.what, thrown.path);
    const isFault = thrown instanceof Error && /^\d+:\d+: /.test(thrown.message);
    return isFault ? this.#fault(wordsOf(thrown.message), '') : thrown;
  }

  #fault(what: string, path: string): FhirError {
    const { line, column } = this.#parser;
    return xmlFault(what, { line, column, path });
  }
}

function toTag(
  { name, local, prefix, uri, isSelfClosing }: SaxesTagNS,
  attributes: readonly XmlAttribute[],
): XmlTag {
  return { name, local, prefix, uri, attributes, isEmpty: isSelfClosing };
}

/** What the tokenizer says, without the place that it begins with and the full stop at its end. */
function wordsOf(message: string): string {
  const words = message.replace(/^\d+:\d+: /, '').replace(/\.$/, '');
  return UNDEFINED_ENTITY.test(words) ? ENTITY_ADVICE : words.slice(0, 200);
}
