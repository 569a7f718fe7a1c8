import { textWords } from '../fhir/text-words.js';
import { FhirError } from '../model/errors.js';
import type { TextQuery } from '../storage/search-store.js';
import { invalidParameter, type ParameterContext } from './parse-context.js';

/** More words or brackets than these make no question of a person. */
const MOST_WORDS = 64;
const DEEPEST = 10;
/** Words, marks and brackets together. */
const MOST_PIECES = 500;

/**
 * Reads what `_text` and `_content` ask for (https://hl7.org/fhir/R4/search.html#text): words that all have to be
 * there, "phrases", `or`, `and`, `not` or `-`, brackets, and `word*` for what begins so.
 * @throws FhirError INVALID_SEARCH that says where it is wrong, LIMIT_EXCEEDED
 */
export function parseText(text: string, context: ParameterContext): TextQuery {
  const reader = new TextReader(tokensOf(text, context), context);
  const query = reader.either(0);
  reader.assertEnd();
  return query;
}

/** `at`: characters from the beginning, from 1. */
type Token =
  | { readonly kind: 'open' | 'close' | 'and' | 'or' | 'not'; readonly at: number }
  | {
      readonly kind: 'words';
      readonly at: number;
      readonly words: readonly string[];
      readonly prefix: boolean;
    }
  | { readonly kind: 'end'; readonly at: number };

/** A quoted phrase, a bracket, a hyphen before something, or what stands up to a space or one of these. */
const PIECE = /\s*(?:"([^"]*)("?)|([()])|(-)(?=[^\s)])|([^\s()"]+))/uy;

function tokensOf(text: string, context: ParameterContext): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  let words = 0;
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < end) {
    const found = PIECE.exec(text);
    if (found === null) break;
    const [whole, , , , hyphen] = found;
    const at = found.index + (whole.length - whole.trimStart().length) + 1;
    const token = hyphen === undefined ? toToken(found, at, context) : ({ kind: 'not', at } as const);
    if (token.kind === 'words') words += token.words.length;
    if (words > MOST_WORDS)
      throw new FhirError('LIMIT_EXCEEDED', `A text has more than ${MOST_WORDS} words.`);
    tokens.push(token);
    if (tokens.length > MOST_PIECES)
      throw new FhirError('LIMIT_EXCEEDED', `A text has more than ${MOST_PIECES} words, brackets and marks.`);
  }
  return [...tokens, { kind: 'end', at: end + 1 }];
}

function toToken(found: RegExpExecArray, at: number, context: ParameterContext): Token {
  const [, quoted, closed, bracket, , bare = ''] = found;
  if (bracket !== undefined) return { kind: bracket === '(' ? 'open' : 'close', at };
  if (quoted !== undefined) {
    if (closed === '') throw wrong(context, at, 'the phrase that begins here has no end');
    return toWords(quoted, at, context);
  }
  switch (bare) {
    case 'and':
    case 'AND':
      return { kind: 'and', at };
    case 'or':
    case 'OR':
      return { kind: 'or', at };
    case 'not':
    case 'NOT':
      return { kind: 'not', at };
    default:
      return toWords(bare, at, context);
  }
}

/** A word with marks inside is a phrase: `follow-up`. */
function toWords(text: string, at: number, context: ParameterContext): Token {
  const star = text.indexOf('*');
  const prefix = star >= 0;
  if (prefix && star < text.length - 1)
    throw wrong(context, at + star, 'the * stands at the end of a word only');
  const words = textWords(text);
  if (words.length === 0) throw wrong(context, at, 'there is no letter or digit');
  return { kind: 'words', at, words, prefix };
}

/** Reads tokens from the left: `or` binds least, then what stands side by side, then `not`. */
class TextReader {
  private next = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly context: ParameterContext,
  ) {}

  either(depth: number): TextQuery {
    if (depth > DEEPEST)
      throw new FhirError('LIMIT_EXCEEDED', `A text has more than ${DEEPEST} brackets in brackets.`);
    const of = [this.together(depth)];
    while (this.take('or')) of.push(this.together(depth));
    const [only] = of;
    return of.length === 1 && only ? only : { kind: 'any', of };
  }

  assertEnd(): void {
    if (this.token.kind !== 'end') throw wrong(this.context, this.token.at, 'no bracket is open here');
  }

  private together(depth: number): TextQuery {
    const { at } = this.token;
    const of = [this.single(depth)];
    while (!['or', 'close', 'end'].includes(this.token.kind)) {
      this.take('and');
      of.push(this.single(depth));
    }
    if (of.every(({ kind }) => kind === 'not'))
      throw wrong(this.context, at, 'say also what is to be there, not only what is not');
    const [only] = of;
    return of.length === 1 && only ? only : { kind: 'all', of };
  }

  private single(depth: number): TextQuery {
    if (this.take('not')) return { kind: 'not', of: this.operand(depth) };
    return this.operand(depth);
  }

  private operand(depth: number): TextQuery {
    const { token } = this;
    this.next++;
    if (token.kind === 'words') return { kind: 'phrase', words: token.words, prefix: token.prefix };
    if (token.kind !== 'open')
      throw wrong(this.context, token.at, 'a word, a phrase or a bracket is missing');
    const inner = this.either(depth + 1);
    if (!this.take('close')) throw wrong(this.context, token.at, 'the bracket that begins here has no end');
    return inner;
  }

  private get token(): Token {
    return this.tokens[Math.min(this.next, this.tokens.length - 1)]!;
  }

  private take(kind: Token['kind']): boolean {
    if (this.token.kind !== kind) return false;
    this.next++;
    return true;
  }
}

function wrong({ name }: ParameterContext, at: number, message: string): FhirError {
  return invalidParameter(name, `at character ${at} ${message}.`);
}
