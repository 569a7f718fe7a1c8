import { createHash } from 'node:crypto';

/** An index entry of PostgreSQL holds at most 2,704 bytes; this many characters always fit. */
const LONGEST_KEY = 512;
const KEPT = 440;

/** The text as it stands in an index: what is too long keeps its beginning, and a digest of the whole. */
export function toKeyText(text: string): string {
  if (text.length <= LONGEST_KEY) return text;
  return `${text.slice(0, KEPT)}#${createHash('sha256').update(text).digest('hex')}`;
}
