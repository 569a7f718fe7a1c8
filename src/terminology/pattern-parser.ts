/** A regular expression taken apart. */
export type PatternNode =
  | { readonly kind: 'test'; readonly test: CharacterTest }
  | { readonly kind: 'sequence'; readonly of: readonly PatternNode[] }
  | { readonly kind: 'either'; readonly of: readonly PatternNode[] }
  /** `max` is Infinity where there is no end. */
  | { readonly kind: 'repeat'; readonly of: PatternNode; readonly min: number; readonly max: number };

/** Whether one character (a code point) fits. */
export type CharacterTest = (character: string) => boolean;

/** What is wrong with a pattern, in words that end a sentence. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

const LONGEST_PATTERN = 500;
/** Groups within groups: parsing goes into itself for each. */
const DEEPEST = 50;
const MOST_REPEATS = 100;

const CLASSES: Readonly<Record<string, RegExp>> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /\s/, S: /\S/ };
const CONTROLS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/**
 * Parses what regular languages have: characters, classes, groups, `|`, `*`, `+`, `?`, `{m,n}`. The whole text is
 * matched, so that `^` at the beginning and `$` at the end say nothing new.
 * @throws PatternError for everything else, such as references back and looks around
 */
export function parsePattern(text: string): PatternNode {
  if (text.length > LONGEST_PATTERN)
    throw new PatternError(`it is longer than ${LONGEST_PATTERN} characters`);
  return new PatternParser([...text]).parse();
}

class PatternParser {
  private at = 0;
  private depth = 0;
  private readonly end: number;

  constructor(private readonly characters: readonly string[]) {
    if (characters[0] === '^') this.at = 1;
    const last = characters.length - 1;
    const isAnchor = characters[last] === '$' && !this.isEscaped(last);
    this.end = isAnchor ? last : characters.length;
  }

  parse(): PatternNode {
    const node = this.either();
    if (this.at < this.end) throw new PatternError('it has an unexpected ")"');
    return node;
  }

  private isEscaped(index: number): boolean {
    let slashes = 0;
    while (this.characters[index - 1 - slashes] === '\\') slashes++;
    return slashes % 2 === 1;
  }

  private get next(): string | undefined {
    return this.at < this.end ? this.characters[this.at] : undefined;
  }

  private take(): string {
    const character = this.next;
    if (character === undefined) throw new PatternError('it ends too early');
    this.at++;
    return character;
  }

  private takeIf(character: string): boolean {
    if (this.next !== character) return false;
    this.at++;
    return true;
  }

  private either(): PatternNode {
    const of = [this.sequence()];
    while (this.takeIf('|')) of.push(this.sequence());
    return of.length === 1 && of[0] ? of[0] : { kind: 'either', of };
  }

  private sequence(): PatternNode {
    const of: PatternNode[] = [];
    while (this.next !== undefined && this.next !== '|' && this.next !== ')') of.push(this.repeated());
    return { kind: 'sequence', of };
  }

  private repeated(): PatternNode {
    const of = this.one();
    const range = this.range();
    if (range === undefined) return of;
    this.takeIf('?');
    if (this.next === '*' || this.next === '+' || this.next === '{')
      throw new PatternError('it repeats a repetition');
    return { kind: 'repeat', of, ...range };
  }

  private range(): { readonly min: number; readonly max: number } | undefined {
    if (this.takeIf('*')) return { min: 0, max: Infinity };
    if (this.takeIf('+')) return { min: 1, max: Infinity };
    if (this.takeIf('?')) return { min: 0, max: 1 };
    if (!this.takeIf('{')) return undefined;
    let text = '';
    while (!this.takeIf('}')) text += this.take();
    const [, low, comma, high] = /^(\d{1,4})(,)?(\d{1,4})?$/.exec(text) ?? [];
    const min = Number(low);
    const max = comma === undefined ? min : high === undefined ? Infinity : Number(high);
    if (low === undefined || max < min || Math.max(min, max === Infinity ? 0 : max) > MOST_REPEATS)
      throw new PatternError(`{${text}} is no count of repetitions up to ${MOST_REPEATS}`);
    return { min, max };
  }

  private one(): PatternNode {
    const character = this.take();
    switch (character) {
      case '(':
        return this.group();
      case '[':
        return { kind: 'test', test: this.characterClass() };
      case '.':
        return { kind: 'test', test: (one) => one !== '\n' && one !== '\r' };
      case '\\':
        return { kind: 'test', test: this.escape() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternError(`"${character}" repeats nothing`);
      case '^':
      case '$':
        throw new PatternError(`"${character}" stands within it`);
      default:
        return { kind: 'test', test: (one) => one === character };
    }
  }

  private group(): PatternNode {
    if (this.takeIf('?') && !this.takeIf(':'))
      throw new PatternError('only (…) and (?:…) are groups that are always fast');
    if (++this.depth > DEEPEST) throw new PatternError(`it nests more than ${DEEPEST} groups`);
    const node = this.either();
    if (!this.takeIf(')')) throw new PatternError('a "(" is not closed');
    this.depth--;
    return node;
  }

  private escape(): CharacterTest {
    const character = this.take();
    const known = CLASSES[character];
    if (known) return (one) => known.test(one);
    const literal = CONTROLS[character] ?? character;
    if (literal === character && /[A-Za-z0-9]/.test(character))
      throw new PatternError(`\\${character} is not supported`);
    return (one) => one === literal;
  }

  private characterClass(): CharacterTest {
    const negated = this.takeIf('^');
    const tests: CharacterTest[] = [];
    let first = true;
    while (first || this.next !== ']') {
      tests.push(this.classPart());
      first = false;
    }
    this.at++;
    return (one) => tests.some((test) => test(one)) !== negated;
  }

  private classPart(): CharacterTest {
    const low = this.take();
    if (low === '\\') return this.escape();
    if (low === '[') throw new PatternError('a class within a class is not supported');
    if (this.next !== '-' || this.characters[this.at + 1] === ']') return (one) => one === low;
    this.at++;
    const high = this.take();
    if (high === '\\' || high < low) throw new PatternError(`${low}-${high} is no range`);
    return (one) => one >= low && one <= high;
  }
}
