/** Longest text that is indexed, in UTF-16 units. */
export const MAX_INDEXED_LENGTH = 512;

const MARKS = /\p{M}/gu;
const NOT_ASCII = /\P{ASCII}/u;
const SPACES = /\s+/g;

/**
 * Text as ordinary string search compares it (https://hl7.org/fhir/R4/search.html#string): accents removed,
 * lower case, white space collapsed, at most 512 characters. Stored values and search values go through this
 * one function.
 */
export function normalizeString(text: string): string {
  const plain = NOT_ASCII.test(text) ? text.normalize('NFD').replaceAll(MARKS, '') : text;
  return cutText(plain.toLowerCase().trim().replaceAll(SPACES, ' ')).trimEnd();
}

/** What parts words besides spaces. None of them means anything inside a quoted SQL text. */
export const WORD_BREAKS = ['-', ',', '.', '/', ';', ':', '(', ')', '"'] as const;

/** The words of a text, normalized. */
export function wordsOf(text: string): readonly string[] {
  const spaced = WORD_BREAKS.reduce((words, mark) => words.replaceAll(mark, ' '), normalizeString(text));
  return [...new Set(spaced.split(' '))].filter((word) => word !== '');
}

/** At most 512 characters of the text, never half of a surrogate pair. */
export function cutText(text: string): string {
  if (text.length <= MAX_INDEXED_LENGTH) return text;
  const last = text.charCodeAt(MAX_INDEXED_LENGTH - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? MAX_INDEXED_LENGTH - 1 : MAX_INDEXED_LENGTH);
}
