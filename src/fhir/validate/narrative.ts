/**
 * The rules of https://hl7.org/fhir/R4/narrative.html#xhtml: well-formed XHTML of the elements that carry no
 * behaviour. Nothing here is lenient with what a browser could run: narrative is shown to people.
 */

/** What is wrong with a narrative; a warning is harmless. */
export interface NarrativeFinding {
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** Elements nested deeper than this are refused: no table needs it, and browsers struggle. */
const MAX_NESTING = 200;
const NAMESPACE = 'http://www.w3.org/1999/xhtml';

const ELEMENTS: ReadonlySet<string> = new Set(
  (
    'a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em ' +
    'h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th ' +
    'thead tr tt ul var'
  ).split(' '),
);

const ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    'abbr accesskey align alt axis border cellpadding cellspacing char charoff charset cite class colspan coords ' +
    'dir frame headers height href hreflang id ismap lang longdesc name nohref nowrap rel rev rowspan rules scope ' +
    'shape span src start style summary tabindex title type usemap valign value width xml:lang xmlns'
  ).split(' '),
);

const LINKS: ReadonlySet<string> = new Set(['href', 'src', 'cite', 'longdesc', 'usemap']);
const SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'mailto', 'tel', 'ftp', 'urn', 'cid']);

const OPEN = /<([A-Za-z][A-Za-z0-9]*)/y;
const ATTRIBUTE = /[ \t\r\n]+([A-Za-z_:][\w:.-]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
const OPEN_END = /[ \t\r\n]*(\/?)>/y;
const CLOSE = /<\/([A-Za-z][A-Za-z0-9]*)[ \t\r\n]*>/y;
const BAD_AMPERSAND = /&(?!(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)/;
const CHARACTER_REFERENCE = /&(?:#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6})|(colon|Tab|NewLine));/g;
// oxlint-disable-next-line no-control-regex -- browsers leave control characters out of a scheme
const IGNORED_IN_URL = /[\u0000-\u0020\u007f-\u00a0\u00ad\u200b-\u200f\ufeff]+/g;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const IMAGE_DATA = /^data:image\/(?:png|jpeg|gif|webp|bmp);/i;
const ACTIVE_STYLE = /expression\(|javascript:|vbscript:|@import|-moz-binding|behavior:|url\(/i;

interface Scan {
  readonly text: string;
  readonly open: string[];
  position: number;
  content: boolean;
  warning: string | undefined;
}

/**
 * The first thing that is wrong with the XHTML of a `Narrative.div`: an error if there is one, else a warning.
 * Takes time linear in its length.
 */
export function checkNarrative(text: string): NarrativeFinding | undefined {
  const scan: Scan = { text, open: [], position: leadingSpace(text), content: false, warning: undefined };
  const message = scanRoot(scan) ?? scanTail(scan);
  if (message !== undefined) return { severity: 'error', message };
  return scan.warning === undefined ? undefined : { severity: 'warning', message: scan.warning };
}

function leadingSpace(text: string): number {
  return text.length - text.trimStart().length;
}

function scanRoot(scan: Scan): string | undefined {
  if (!/<div[\s>/]/y.test(scan.text.slice(scan.position, scan.position + 5))) {
    return 'narrative must be one <div> element; put its content into <div xmlns="http://www.w3.org/1999/xhtml">';
  }
  do {
    const problem = scanMarkup(scan) ?? (scan.open.length === 0 ? undefined : scanText(scan));
    if (problem !== undefined) return problem;
  } while (scan.open.length > 0);
  return undefined;
}

function scanTail({ text, position, content }: Scan): string | undefined {
  if (text.slice(position).trim() !== '')
    return 'there is content after the <div> of the narrative; remove it';
  return content ? undefined : 'narrative is empty; give it text or an image, or leave it out';
}

function scanText(scan: Scan): string | undefined {
  const { text, position } = scan;
  const next = text.indexOf('<', position);
  if (next === -1) return `<${scan.open.at(-1)}> is not closed; write well-formed XHTML`;
  const run = text.slice(position, next);
  scan.position = next;
  scan.content ||= run.trim() !== '';
  return BAD_AMPERSAND.test(run)
    ? 'an "&" in the narrative does not begin an entity; write &amp;'
    : undefined;
}

function scanMarkup(scan: Scan): string | undefined {
  const { text, position } = scan;
  const mark = text.charAt(position + 1);
  if (mark === '/') return scanClose(scan);
  if (mark !== '!' && mark !== '?') return scanOpen(scan);
  if (!text.startsWith('<!--', position)) {
    return 'narrative has a declaration, CDATA section or processing instruction; remove it';
  }
  const end = text.indexOf('-->', position + 4);
  if (end === -1) return 'a comment in the narrative does not end; write well-formed XHTML';
  scan.position = end + 3;
  return undefined;
}

function scanClose(scan: Scan): string | undefined {
  const name = take(CLOSE, scan)?.[1];
  const expected = scan.open.pop();
  return name === expected
    ? undefined
    : `<${expected}> is not closed where it should be; write well-formed XHTML`;
}

function scanOpen(scan: Scan): string | undefined {
  const name = take(OPEN, scan)?.[1];
  if (name === undefined) return 'a "<" in the narrative does not begin an element; write &lt;';
  if (!ELEMENTS.has(name)) return `element <${name.slice(0, 40)}> is not allowed in narrative; remove it`;
  const problem = scanAttributes(scan, name);
  if (problem !== undefined) return problem;
  const end = take(OPEN_END, scan);
  if (!end) return `the tag <${name}> is malformed; write well-formed XHTML`;
  if (name === 'img') scan.content = true;
  if (end[1] === '' && scan.open.push(name) > MAX_NESTING) {
    return `elements are nested deeper than ${MAX_NESTING} levels; send flatter narrative`;
  }
  return undefined;
}

function scanAttributes(scan: Scan, element: string): string | undefined {
  const isRoot = scan.open.length === 0;
  const seen = new Set<string>();
  for (let match = take(ATTRIBUTE, scan); match; match = take(ATTRIBUTE, scan)) {
    const [, name = '', quoted, apostrophed = ''] = match;
    const problem = seen.has(name) ? 'is repeated' : checkAttribute(scan, name, quoted ?? apostrophed);
    if (problem !== undefined) return `attribute ${name.slice(0, 40)} of <${element}> ${problem}; remove it`;
    seen.add(name);
  }
  if (isRoot && !seen.has('xmlns'))
    scan.warning ??= `the <div> of a narrative has xmlns="${NAMESPACE}"; add it`;
  return undefined;
}

function checkAttribute(scan: Scan, name: string, raw: string): string | undefined {
  if (/^on/i.test(name)) return 'is an event handler, which narrative may not have';
  if (BAD_AMPERSAND.test(raw)) return 'has an "&" that does not begin an entity';
  const value = decode(raw);
  if (name === 'xmlns') return value === NAMESPACE ? undefined : 'is not that of XHTML';
  if (LINKS.has(name) && !isSafeLink(value)) return 'has a URL that narrative may not have';
  if (name === 'style' && isActiveStyle(value)) return 'loads or runs something, which narrative may not';
  if (name.includes(':') && name !== 'xml:lang') return 'is of another namespace';
  if (!ATTRIBUTES.has(name))
    scan.warning ??= `attribute ${name.slice(0, 40)} is not one of narrative; remove it`;
  return undefined;
}

function isSafeLink(value: string): boolean {
  const url = value.replaceAll(IGNORED_IN_URL, '');
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  return scheme === undefined || SCHEMES.has(scheme) || IMAGE_DATA.test(url);
}

function isActiveStyle(value: string): boolean {
  const hidden = value.includes('\\') || value.includes('/*');
  return hidden || ACTIVE_STYLE.test(value.replaceAll(IGNORED_IN_URL, ''));
}

function decode(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replaceAll(CHARACTER_REFERENCE, (_, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return name === 'colon' ? ':' : '';
    const point = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : '';
  });
}

function take(pattern: RegExp, scan: Scan): RegExpExecArray | null {
  pattern.lastIndex = scan.position;
  const match = pattern.exec(scan.text);
  if (match) scan.position = pattern.lastIndex;
  return match;
}
