/** What one pass over the text of a document finds, before anything is built. */
export interface JsonScan {
  /** How many members all objects have, by their colons. */
  readonly members: number;
  /** Start and end of each number whose text JavaScript would not write again, in turn. */
  readonly literals: readonly number[];
}

/** What a JSON document may demand of the server. */
export interface JsonLimits {
  /** How deep objects and arrays may be nested; the document itself is depth 1. */
  readonly maxDepth: number;
  /** Members and items of all objects and arrays together, about. */
  readonly maxValues: number;
  /** Members of one object. */
  readonly maxMembers: number;
  /** Longest member name, in characters. */
  readonly maxKeyLength: number;
  /** Longest number literal, in characters. */
  readonly maxNumberLength: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Looks for everything that `JSON.parse` would let pass and that can be seen in the text alone: depth, NUL, lone
 * surrogates, numbers that are not finite, sizes. Undefined if there is any of it; `diagnoseJson` says what. The
 * grammar is not checked: `JSON.parse` does that.
 */
export function scanJson(text: string, limits: JsonLimits): JsonScan | undefined {
  const { maxDepth, maxMembers, maxKeyLength, maxNumberLength } = limits;
  const literals: number[] = [];
  const counts: number[] = [0];
  let members = 0;
  let left = limits.maxValues;
  let depth = 0;
  let keyLength = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = stringEnd(text, at + 1);
      if (end < 0) return undefined;
      keyLength = end - at - 1;
      at = end;
    } else if (code === COLON) {
      members++;
      if (++counts[depth]! > maxMembers || keyLength > maxKeyLength) return undefined;
    } else if (code === COMMA) {
      if (--left < 0) return undefined;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth || --left < 0) return undefined;
      counts[depth] = 0;
    } else if (code === 0x7d || code === 0x5d) {
      if (--depth < 0) return undefined;
    } else if (isNumberStart(code)) {
      const end = numberEnd(text, at);
      if (end - at > maxNumberLength) return undefined;
      if (!isPlainNumber(text, at, end) && !keepLiteral(text, at, end, literals)) return undefined;
      at = end - 1;
    }
  }
  return { members, literals };
}

/** The literals alone, of a text that is known to be good. */
export function scanLiterals(text: string): readonly number[] {
  const literals: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = trustedStringEnd(text, at + 1);
    } else if (isNumberStart(code)) {
      const end = numberEnd(text, at);
      if (!isPlainNumber(text, at, end)) keepLiteral(text, at, end, literals);
      at = end - 1;
    }
  }
  return literals;
}

function trustedStringEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code !== QUOTE && at < text.length; code = text.charCodeAt(at)) {
    at += code === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** Index of the closing quote, or -1 if the string is not whole or has a NUL or lone surrogate. */
function stringEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    const step = code === BACKSLASH ? escapeLength(text, at) : 1;
    if (step === 0) return -1;
    at += step;
  }
  return -1;
}

/** Characters that the escape at `at` takes, a surrogate pair counted as one escape; 0 if it is refused. */
export function escapeLength(text: string, at: number): number {
  if (text.charCodeAt(at + 1) !== 0x75) return 2;
  const unit = escapedUnit(text, at);
  if (!(unit > 0) || (unit >= 0xdc00 && unit <= 0xdfff)) return 0;
  if (unit < 0xd800 || unit > 0xdbff) return 6;
  const low = escapedUnit(text, at + 6);
  return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/** The code unit of the `\uXXXX` at `at`; NaN if there is none. */
export function escapedUnit(text: string, at: number): number {
  const escape = text.slice(at, at + 6);
  return /^\\u[0-9a-fA-F]{4}$/.test(escape) ? Number.parseInt(escape.slice(2), 16) : NaN;
}

function isNumberStart(code: number): boolean {
  return code === MINUS || (code >= ZERO && code <= NINE);
}

/** End of the run of characters that a number can have. */
export function numberEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && isNumberPart(text.charCodeAt(at))) at++;
  return at;
}

function isNumberPart(code: number): boolean {
  return (
    (code >= ZERO && code <= NINE) ||
    code === DOT ||
    code === MINUS ||
    code === 0x2b ||
    (code | 0x20) === 0x65
  );
}

/**
 * Whether JavaScript surely writes the number as it stands, judged without converting it: up to 15 digits without
 * exponent come back as they were, unless zeros end the fraction or begin it six times.
 */
function isPlainNumber(text: string, start: number, end: number): boolean {
  const from = text.charCodeAt(start) === MINUS ? start + 1 : start;
  if (end - from > 16) return false;
  let dot = -1;
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) dot = at;
    else if (code < ZERO || code > NINE) return false;
  }
  if (dot < 0) return end - from < 16 && (from === start || text.charCodeAt(from) !== ZERO);
  return text.charCodeAt(end - 1) !== ZERO && !text.startsWith('0.000000', from);
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Adds a number that must be kept as text; false if it is refused. What is no number is left for `JSON.parse` to refuse. */
function keepLiteral(text: string, start: number, end: number, literals: number[]): boolean {
  const literal = text.slice(start, end);
  if (!NUMBER.test(literal)) return true;
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  if (String(value) !== literal && !isMemberName(text, end)) literals.push(start, end);
  return true;
}

/** A number before a colon is an error that marking it as a string would hide. */
function isMemberName(text: string, end: number): boolean {
  let at = end;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === COLON;
}
