import { FhirError } from '../../model/errors.js';
import { invalidParameter } from '../parse-context.js';
import {
  FILTER_OPERATORS,
  type FilterNode,
  type FilterOperator,
  type FilterPath,
  type FilterStep,
  type FilterTest,
} from './filter-node.js';

/** Characters of one filter. */
const MAX_LENGTH = 20_000;
/** Brackets within brackets, and changes between "and" and "or". */
const MAX_DEPTH = 30;

const SPACE = /\s+/y;
const NAME = /[A-Za-z_][\w-]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const TOKEN = /[^\s\])]+/y;

/**
 * The syntax of a filter, https://hl7.org/fhir/R4/search_filter.html: "and" and "or" have no precedence and go from
 * left to right. Words of the syntax may be written in any case.
 * @throws FhirError INVALID_SEARCH, LIMIT_EXCEEDED; they say at which character
 */
export function readFilter(text: string): FilterNode {
  if (text.length > MAX_LENGTH)
    throw new FhirError('LIMIT_EXCEEDED', `A filter has at most ${MAX_LENGTH} characters.`);
  const node = new FilterReader(text).whole();
  if (depthOf(node) > MAX_DEPTH) throw tooDeep();
  return node;
}

/** How errors name a place within a filter. */
export function placeOf(position: number): string {
  return `_filter, character ${position}`;
}

class FilterReader {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  whole(): FilterNode {
    const node = this.filter();
    if (this.at < this.text.length) throw this.unexpected('"and", "or" or the end');
    return node;
  }

  /** Ends before what can't go on a filter. */
  private filter(): FilterNode {
    let node = this.operand();
    for (;;) {
      const kind = this.connective();
      if (kind === undefined) return node;
      const next = this.operand();
      node = { kind, of: node.kind === kind ? [...node.of, next] : [node, next] };
    }
  }

  private connective(): 'and' | 'or' | undefined {
    this.take(SPACE);
    const word = this.peek(NAME)?.toLowerCase();
    if (word !== 'and' && word !== 'or') return undefined;
    this.at += word.length;
    return word;
  }

  private operand(): FilterNode {
    this.take(SPACE);
    if (this.peek(/\(/y)) return this.enclosed('(', ')');
    if (!this.peek(/not\s*\(/iy)) return this.test();
    this.at += 'not'.length;
    this.take(SPACE);
    return { kind: 'not', of: this.enclosed('(', ')') };
  }

  private enclosed(open: '(' | '[', close: ')' | ']'): FilterNode {
    this.at += open.length;
    if (++this.depth > MAX_DEPTH) throw tooDeep();
    const node = this.filter();
    if (this.text[this.at] !== close) throw this.unexpected(`"${close}", "and" or "or"`);
    this.at += close.length;
    this.depth--;
    return node;
  }

  private test(): FilterTest {
    const path = this.path();
    if (this.take(SPACE) === undefined) throw this.unexpected('a space and an operator');
    const operator = this.operator();
    if (this.take(SPACE) === undefined) throw this.unexpected('a space and a value');
    return { kind: 'test', path, operator, value: this.value() };
  }

  private path(): FilterPath {
    const path: [FilterStep, ...FilterStep[]] = [this.step()];
    while (this.take(/\./y) !== undefined) path.push(this.step());
    if (path.at(-1)?.filter !== undefined) throw this.unexpected('"." and a name after the brackets');
    return path;
  }

  private step(): FilterStep {
    const position = this.at + 1;
    const name = this.take(NAME);
    if (name === undefined) throw this.unexpected('the name of a search parameter');
    const type = this.take(/:/y) === undefined ? undefined : this.take(NAME);
    if (type === undefined && this.text[this.at - 1] === ':') throw this.unexpected('a resource type');
    return { name, type, filter: this.peek(/\[/y) ? this.enclosed('[', ']') : undefined, position };
  }

  private operator(): FilterOperator {
    const word = this.peek(NAME);
    const operator = FILTER_OPERATORS.find((one) => one === word?.toLowerCase());
    if (operator === undefined) throw this.unexpected(`an operator (${FILTER_OPERATORS.join(', ')})`);
    this.at += operator.length;
    return operator;
  }

  private value(): string {
    // It would be part of the value, and find nothing.
    if (this.text[this.at] === "'") throw this.unexpected('a word or a text in double quotes');
    const value = this.text[this.at] === '"' ? this.string() : this.take(TOKEN);
    if (value === undefined) throw this.unexpected('a value');
    if (this.at < this.text.length && !this.peek(/[\s)\]]/y))
      throw this.unexpected('a space after the value');
    return value;
  }

  /** A JSON string. */
  private string(): string {
    const quoted = this.peek(STRING);
    if (quoted === undefined) throw this.unexpected('the end of the text that begins here');
    try {
      const text = JSON.parse(quoted) as string;
      this.at += quoted.length;
      return text;
    } catch {
      throw this.unexpected('a text with the escapes of JSON');
    }
  }

  private peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  private take(pattern: RegExp): string | undefined {
    const found = this.peek(pattern);
    this.at += found?.length ?? 0;
    return found;
  }

  private unexpected(wanted: string): FhirError {
    const found = this.text.slice(this.at, this.at + 20);
    const what = found === '' ? 'the filter ends' : `"${found}" stands`;
    return invalidParameter(placeOf(this.at + 1), `${what} where ${wanted} belongs.`);
  }
}

function depthOf(node: FilterNode): number {
  switch (node.kind) {
    case 'and':
    case 'or':
      return 1 + Math.max(...node.of.map(depthOf));
    case 'not':
      return 1 + depthOf(node.of);
    case 'test':
      return 1 + Math.max(...node.path.map(({ filter }) => (filter === undefined ? 0 : depthOf(filter))));
  }
}

function tooDeep(): FhirError {
  return new FhirError(
    'LIMIT_EXCEEDED',
    `A filter has at most ${MAX_DEPTH} brackets within one another and changes between "and" and "or".`,
  );
}
