import { UnsupportedExpression } from './syntax.js';

/** One token of an expression. `text` of a string is its value, without quotes and escapes. */
export interface Lexeme {
  readonly kind: 'string' | 'number' | 'symbol' | 'word' | 'end';
  readonly text: string;
  /** Position of its first character, from 0. */
  readonly at: number;
}

const LEXEME =
  /\s*(?:'((?:[^'\\]|\\.)*)'|(\d+(?:\.\d+)?)|(!=|<=|>=|[|().[\],=<>])|([%$]?[A-Za-z_]\w*|`[^`]+`)|($))/y;

/** Cuts an expression into tokens, the last one `end`. Throws UnsupportedExpression at an unknown character. */
export function readLexemes(text: string): Lexeme[] {
  const source = text.trimEnd();
  const pattern = new RegExp(LEXEME);
  const lexemes: Lexeme[] = [];
  while (lexemes.at(-1)?.kind !== 'end') {
    const at = pattern.lastIndex;
    const match = pattern.exec(source);
    if (!match) throw new UnsupportedExpression(`unexpected "${source.slice(at, at + 10)}" in ${text}`, at);
    lexemes.push(toLexeme(match));
  }
  return lexemes;
}

function toLexeme(match: RegExpExecArray): Lexeme {
  const [whole, string, number, symbol, word] = match;
  const at = match.index + whole.length - whole.trimStart().length;
  if (string !== undefined) return { kind: 'string', text: string.replaceAll(/\\(.)/g, '$1'), at };
  if (number !== undefined) return { kind: 'number', text: number, at };
  if (symbol !== undefined) return { kind: 'symbol', text: symbol, at };
  if (word !== undefined) return { kind: 'word', text: word.replaceAll('`', ''), at };
  return { kind: 'end', text: '', at };
}
