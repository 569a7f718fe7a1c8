/** A regular expression as it stands in code. */
export interface PatternLiteral {
  readonly source: string;
  readonly flags: string;
  readonly line: number;
}

/** After these a slash begins an expression, after anything else it divides. */
const BEFORE_EXPRESSION = new Set('(,=:[!&|?{};+<>~^%*');
const WORDS_BEFORE = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'yield',
  'await',
  'void',
]);

/** Every literal of a TypeScript source, also those inside of templates. */
export function patternLiterals(text: string): readonly PatternLiteral[] {
  return new LiteralFinder(text).find();
}

class LiteralFinder {
  private readonly found: PatternLiteral[] = [];
  /** Depth of braces at which each template that is open goes on. */
  private readonly templates: number[] = [];
  private at = 0;
  private depth = 0;
  private last = '';

  constructor(private readonly text: string) {}

  find(): readonly PatternLiteral[] {
    if (this.text.startsWith('#!')) this.skipTo('\n');
    while (this.at < this.text.length) this.step();
    return this.found;
  }

  private step(): void {
    const char = this.text[this.at]!;
    if (/\s/.test(char)) this.at++;
    else if (this.text.startsWith('//', this.at)) this.skipTo('\n');
    else if (this.text.startsWith('/*', this.at)) this.skipTo('*/');
    else if (char === "'" || char === '"') this.string(char);
    else if (char === '`') this.template();
    else if (char === '/' && this.isExpression()) this.pattern();
    else if (/\w/.test(char)) this.word();
    else this.sign(char);
  }

  private isExpression(): boolean {
    return this.last === '' || BEFORE_EXPRESSION.has(this.last) || WORDS_BEFORE.has(this.last);
  }

  private skipTo(end: string): void {
    const found = this.text.indexOf(end, this.at + 2);
    this.at = found < 0 ? this.text.length : found + end.length;
  }

  private string(quote: string): void {
    this.at++;
    while (this.at < this.text.length && this.text[this.at] !== quote)
      this.at += this.text[this.at] === '\\' ? 2 : 1;
    this.at++;
    this.last = quote;
  }

  /** Up to the end of the template, or to what is put into it. */
  private template(): void {
    this.at++;
    while (this.at < this.text.length && this.text[this.at] !== '`') {
      if (this.text.startsWith('${', this.at)) {
        this.at += 2;
        this.templates.push(this.depth++);
        this.last = '{';
        return;
      }
      this.at += this.text[this.at] === '\\' ? 2 : 1;
    }
    this.at++;
    this.last = '`';
  }

  private pattern(): void {
    const start = this.at++;
    let isClass = false;
    while (this.text[this.at] !== '/' || isClass) {
      const char = this.text[this.at];
      if (char === undefined || char === '\n')
        throw new Error(`no end: ${this.text.slice(start, start + 40)}`);
      if (char === '[') isClass = true;
      if (char === ']') isClass = false;
      this.at += char === '\\' ? 2 : 1;
    }
    const source = this.text.slice(start + 1, this.at++);
    const [flags = ''] = /^[a-z]*/.exec(this.text.slice(this.at)) ?? [];
    this.at += flags.length;
    this.last = 'pattern';
    this.found.push({ source, flags, line: this.text.slice(0, start).split('\n').length });
  }

  private word(): void {
    const [word = ''] = /^\w+/.exec(this.text.slice(this.at, this.at + 200)) ?? [];
    this.at += word.length;
    this.last = word;
  }

  private sign(char: string): void {
    if (char === '{') this.depth++;
    if (char === '}') this.depth--;
    this.last = char;
    if (char === '}' && this.templates.at(-1) === this.depth) {
      this.templates.pop();
      this.template();
    } else this.at++;
  }
}
