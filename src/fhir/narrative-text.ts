/** Named characters that XHTML of narratives has and that stand for no letter with an accent. */
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  szlig: 'ß',
  aelig: 'æ',
  oelig: 'œ',
  oslash: 'ø',
};

const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi;
const ACCENTED = /^([a-z])(?:acute|grave|circ|uml|tilde|ring|cedil|caron)$/i;

/**
 * What people read in a narrative (https://hl7.org/fhir/R4/narrative.html): its text without tags, attributes and
 * comments. Whatever is not well formed is read as far as it goes, in one pass.
 */
export function narrativeText(xhtml: string): string {
  const parts: string[] = [];
  for (let at = 0; at < xhtml.length;) {
    const open = xhtml.indexOf('<', at);
    if (open < 0) {
      parts.push(xhtml.slice(at));
      break;
    }
    parts.push(xhtml.slice(at, open), ' ');
    const isComment = xhtml.startsWith('<!--', open);
    const end = xhtml.indexOf(isComment ? '-->' : '>', open);
    if (end < 0) break;
    at = end + (isComment ? 3 : 1);
  }
  return parts.join('').replaceAll(ENTITY, decode);
}

function decode(entity: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? ACCENTED.exec(name)?.[1] ?? ' ';
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
}
