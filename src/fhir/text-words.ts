/** Longest word that is told apart from others, in UTF-16 units: of a longer one the beginning counts. */
const LONGEST_WORD = 64;

const NOT_ASCII = /\P{ASCII}/u;
const ASCII_WORDS = /[a-z0-9]+/g;
/** Accents of Latin, Greek and Cyrillic letters; other marks are letters of their scripts. */
const ACCENTS = /[\u0300-\u036f]/g;
/** Scripts that write no spaces: each character is a word, so that what is searched is a phrase. */
const UNSPACED =
  '[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}]';
const WORDS = new RegExp(
  `${UNSPACED}\\p{M}*|(?:(?!${UNSPACED})[\\p{L}\\p{N}])(?:(?!${UNSPACED})[\\p{L}\\p{N}\\p{M}])*`,
  'gu',
);

/**
 * The words of a text as full text search compares them, in their order: lower case, without accents, without anything
 * but letters and digits. No language is assumed. What is stored and what is searched go through this one function.
 */
export function textWords(text: string): readonly string[] {
  if (!NOT_ASCII.test(text)) return (text.toLowerCase().match(ASCII_WORDS) ?? []).map(cut);
  const folded = text.normalize('NFKD').replaceAll(ACCENTS, '').toLowerCase().replaceAll(ACCENTS, '');
  return (folded.match(WORDS) ?? []).map(cut);
}

function cut(word: string): string {
  if (word.length <= LONGEST_WORD) return word;
  const last = word.charCodeAt(LONGEST_WORD - 1);
  return word.slice(0, last >= 0xd800 && last <= 0xdbff ? LONGEST_WORD - 1 : LONGEST_WORD);
}
