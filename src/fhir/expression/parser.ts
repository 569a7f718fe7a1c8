import { readLexemes, type Lexeme } from './lexer.js';
import { UnsupportedExpression, type BinaryOperator, type Expression } from './syntax.js';

/** Binding strength, as in FHIRPath's table of precedence. */
const STRENGTH: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  '=': 3,
  '!=': 3,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  '|': 5,
  is: 6,
  as: 6,
};

/** Parses an expression. Throws UnsupportedExpression. */
export function parseExpression(text: string): Expression {
  const parser = new ExpressionParser(readLexemes(text), text);
  return parser.parse();
}

/** A precedence-climbing parser over the tokens of one expression. */
class ExpressionParser {
  readonly #lexemes: readonly Lexeme[];
  readonly #text: string;
  #position = 0;

  constructor(lexemes: readonly Lexeme[], text: string) {
    this.#lexemes = lexemes;
    this.#text = text;
  }

  parse(): Expression {
    const expression = this.#expression(0);
    if (this.#peek().kind !== 'end') this.#fail();
    return expression;
  }

  #expression(weakest: number): Expression {
    let left = this.#postfix();
    for (;;) {
      const operator = this.#operator();
      const strength = STRENGTH[operator] ?? 0;
      if (strength <= weakest) return left;
      this.#next();
      left = this.#operation(left, operator, strength);
    }
  }

  #operation(left: Expression, operator: string, strength: number): Expression {
    if (operator === 'is' || operator === 'as') {
      return { kind: 'type', operator, base: left, type: this.#typeName() };
    }
    return { kind: 'binary', operator: operator as BinaryOperator, left, right: this.#expression(strength) };
  }

  #operator(): string {
    const { kind, text } = this.#peek();
    return kind === 'symbol' || kind === 'word' ? text : '';
  }

  #postfix(): Expression {
    let expression = this.#primary();
    for (;;) {
      if (this.#accept('.')) expression = this.#member(expression);
      else if (this.#accept('[')) expression = this.#index(expression);
      else return expression;
    }
  }

  #member(base: Expression): Expression {
    const name = this.#word();
    return this.#accept('(') ? this.#call(base, name) : { kind: 'member', base, name };
  }

  #index(base: Expression): Expression {
    const lexeme = this.#next();
    if (lexeme.kind !== 'number') this.#fail(lexeme);
    this.#expect(']');
    return { kind: 'index', base, index: Number(lexeme.text) };
  }

  #call(base: Expression | null, name: string): Expression {
    const values: Expression[] = [];
    if (!this.#accept(')')) {
      do values.push(this.#expression(0));
      while (this.#accept(','));
      this.#expect(')');
    }
    return { kind: 'call', base, name, arguments: values };
  }

  #primary(): Expression {
    const lexeme = this.#next();
    const { kind, text } = lexeme;
    if (kind === 'string') return { kind: 'literal', value: text };
    if (kind === 'number') return { kind: 'literal', value: Number(text) };
    if (kind === 'word') return this.#named(text);
    if (text !== '(') this.#fail(lexeme);
    const inner = this.#expression(0);
    this.#expect(')');
    return inner;
  }

  #named(name: string): Expression {
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true' };
    return this.#accept('(') ? this.#call(null, name) : { kind: 'name', name };
  }

  /** `FHIR.Patient` is `Patient`. */
  #typeName(): string {
    let name = this.#word();
    while (this.#accept('.')) name = this.#word();
    return name;
  }

  #word(): string {
    const lexeme = this.#next();
    return lexeme.kind === 'word' ? lexeme.text : this.#fail(lexeme);
  }

  #accept(symbol: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== 'symbol' || text !== symbol) return false;
    this.#position += 1;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#accept(symbol)) this.#fail();
  }

  #peek(): Lexeme {
    return this.#lexemes[this.#position] ?? { kind: 'end', text: '', at: this.#text.length };
  }

  #next(): Lexeme {
    const lexeme = this.#peek();
    this.#position += 1;
    return lexeme;
  }

  #fail({ kind, text, at } = this.#peek()): never {
    const found = kind === 'end' ? 'end' : `"${text}"`;
    throw new UnsupportedExpression(`unexpected ${found} in ${this.#text}`, at);
  }
}
