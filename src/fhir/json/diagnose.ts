import { FhirError } from '../../model/errors.js';
import { escapedUnit, escapeLength, type JsonLimits, numberEnd } from './scan.js';

/**
 * Reads a document that was refused, slowly, up to its first fault. Returns the error to throw: MALFORMED_JSON with
 * line, column and path.
 */
export function diagnoseJson(text: string, limits: JsonLimits): FhirError {
  try {
    new JsonReader(text, limits).readDocument();
  } catch (error) {
    if (error instanceof FhirError) return error;
    throw error;
  }
  return new FhirError('MALFORMED_JSON', 'The body is not valid JSON.');
}

/** Characters that are read for a better message; a large document holds the server up for long enough already. */
const MOST_READ = 2 ** 20;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A strict reader of the grammar (RFC 8259) that builds nothing but the path it stands at. */
class JsonReader {
  readonly #text: string;
  readonly #limits: JsonLimits;
  readonly #path: (string | number)[] = [];
  #at = 0;
  #left: number;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
    this.#left = limits.maxValues;
  }

  readDocument(): void {
    this.#skipSpace();
    if (this.#at === this.#text.length) this.#fail('there is no JSON document');
    this.#readValue();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('there is text after the end of the document');
  }

  #readValue(): void {
    this.#skipSpace();
    this.#assertNear();
    const char = this.#text[this.#at];
    if (char === '{') this.#readObject();
    else if (char === '[') this.#readArray();
    else if (char === '"') this.#readString();
    else if (char !== undefined && /[-0-9]/.test(char)) this.#readNumber();
    else this.#readWord();
  }

  #readObject(): void {
    this.#enter();
    const keys = new Set<string>();
    if (!this.#take('}')) {
      do this.#readMember(keys);
      while (this.#take(','));
      if (!this.#take('}')) this.#fail("expected ',' or '}'");
    }
    this.#path.pop();
  }

  #readMember(keys: Set<string>): void {
    this.#skipSpace();
    const start = this.#at;
    if (this.#text[start] !== '"') this.#fail('expected a member name in double quotes');
    this.#readString();
    const key = String(JSON.parse(this.#text.slice(start, this.#at)));
    this.#path[this.#path.length - 1] = key;
    const { maxKeyLength, maxMembers } = this.#limits;
    if (this.#at - start - 2 > maxKeyLength)
      this.#fail(`a member name has more than ${maxKeyLength} characters`, start);
    if (key === '__proto__') this.#fail('the member name __proto__ is not allowed', start);
    if (keys.has(key)) this.#fail(`the member "${key}" is there twice`, start);
    if (keys.add(key).size > maxMembers) this.#fail(`an object has more than ${maxMembers} members`, start);
    if (!this.#take(':')) this.#fail("expected ':'");
    this.#readValue();
  }

  #readArray(): void {
    this.#enter();
    if (!this.#take(']')) {
      let index = 0;
      do {
        this.#path[this.#path.length - 1] = index++;
        this.#readValue();
      } while (this.#take(','));
      if (!this.#take(']')) this.#fail("expected ',' or ']'");
    }
    this.#path.pop();
  }

  #enter(): void {
    const { maxDepth } = this.#limits;
    if (this.#path.length >= maxDepth) this.#fail(`nested deeper than ${maxDepth} levels`);
    this.#count();
    this.#path.push('');
    this.#at++;
  }

  #readString(): void {
    const start = this.#at++;
    for (let char = this.#text[this.#at]; char !== '"'; char = this.#text[this.#at]) {
      if (char === undefined) this.#fail('a string does not end', start);
      if (char < ' ') this.#fail(controlFault(char));
      this.#assertNear();
      this.#at += char === '\\' ? this.#escapeLength() : 1;
    }
    this.#at++;
  }

  #escapeLength(): number {
    const next = this.#text[this.#at + 1] ?? '';
    if (!'"\\/bfnrtu'.includes(next) || next === '') this.#fail('a backslash begins no known escape');
    const length = escapeLength(this.#text, this.#at);
    if (length === 0) this.#fail(escapeFault(escapedUnit(this.#text, this.#at)));
    return length;
  }

  #readNumber(): void {
    const start = this.#at;
    const end = numberEnd(this.#text, start);
    const { maxNumberLength } = this.#limits;
    if (end - start > maxNumberLength) this.#fail(`a number has more than ${maxNumberLength} characters`);
    const literal = this.#text.slice(start, end);
    if (!NUMBER.test(literal)) this.#fail(`${quote(literal)} is not a JSON number`);
    if (!Number.isFinite(Number(literal))) this.#fail(`the number ${quote(literal)} is out of range`);
    this.#at = end;
  }

  #readWord(): void {
    const word = ['true', 'false', 'null'].find((known) => this.#text.startsWith(known, this.#at));
    if (word === undefined)
      this.#fail(this.#at < this.#text.length ? 'expected a value' : 'the document does not end');
    this.#at += word.length;
  }

  /** Steps over the character if it comes next, after space. */
  #take(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    if (char === ',') this.#count();
    this.#at++;
    return true;
  }

  #assertNear(): void {
    if (this.#at <= MOST_READ) return;
    throw new FhirError(
      'MALFORMED_JSON',
      `The fault, or what is beyond the limits, comes after the first ${MOST_READ} characters.`,
    );
  }

  #count(): void {
    if (--this.#left < 0) this.#fail(`there are more than ${this.#limits.maxValues} members and items`);
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && ' \t\n\r'.includes(this.#text[this.#at]!)) this.#at++;
  }

  #fail(what: string, at: number = this.#at): never {
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    throw new FhirError('MALFORMED_JSON', `Line ${line}, column ${column}${this.#where()}: ${what}.`);
  }

  #where(): string {
    const steps = this.#path.filter((step) => step !== '');
    if (steps.length === 0) return '';
    const path = steps
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step.slice(0, 64)}`))
      .join('');
    return ` (${path.replace(/^\./, '').slice(0, 400)})`;
  }
}

function controlFault(char: string): string {
  const code = char.charCodeAt(0).toString(16).padStart(4, '0');
  return `a string has the control character U+${code.toUpperCase()} without escape`;
}

function escapeFault(unit: number): string {
  if (unit === 0) return 'the character NUL (\\u0000) is not allowed';
  return Number.isNaN(unit) ? '\\u needs four hexadecimal digits' : 'a surrogate stands alone';
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
