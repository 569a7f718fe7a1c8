import type { Resource } from '../model/resource.js';
import { childrenAt, placeOf, type ElementChild } from './element-children.js';
import type { TextValue } from './index-values.js';
import { narrativeText } from './narrative-text.js';
import { textWords } from './text-words.js';

/** The path of the words of a resource: `_text` and `_content` look there. */
export const FULL_TEXT_PATH = '_content';

/** Most words that are kept of a narrative, and of everything else. */
const MOST_WORDS = 8_000;
/** Most UTF-16 units that those words have together. */
const MOST_CHARACTERS = 100_000;

/** Types whose values people read. Codes, ids, URIs, times, numbers and contents have parameters of their own. */
const READ_TYPES: ReadonlySet<string> = new Set(['string', 'markdown']);

/** Strings that only machines read, as `Place.name`. */
const UNREAD: ReadonlySet<string> = new Set(['Reference.reference', 'Coding.version']);

/** What is to be done with a member: read it, look inside of it, or nothing. */
type Member = 'read' | ElementChild;

const memberMaps = new Map<string, ReadonlyMap<string, Member>>();

/**
 * The words of a resource: of its narrative, and of every string and markdown element besides, whatever depth,
 * extensions and contained resources included, `meta` not. Nothing of the resource is trusted.
 */
export function extractText(resource: Resource): TextValue | null {
  const narrative = new WordList();
  const content = new WordList();
  const div = (resource['text'] as { readonly div?: unknown } | undefined)?.div;
  if (typeof div === 'string') narrative.add(narrativeText(div));
  readMembers(resource, resource.resourceType, content);
  if (narrative.words.length + content.words.length === 0) return null;
  return { path: FULL_TEXT_PATH, narrative: narrative.words, content: content.words };
}

function readMembers(holder: object, place: string, list: WordList): void {
  const members = membersOf(place);
  for (const [name, value] of Object.entries(holder)) {
    const member = members.get(name);
    if (member !== undefined) readValue(value, member, list);
  }
}

function readValue(value: unknown, member: Member, list: WordList): void {
  if (Array.isArray(value)) for (const item of value as readonly unknown[]) readValue(item, member, list);
  else if (member === 'read') {
    if (typeof value === 'string') list.add(value);
  } else if (typeof value === 'object' && value !== null) readMembers(value, placeOf(member, value), list);
}

/** Members that have words, or may have some inside. */
function membersOf(place: string): ReadonlyMap<string, Member> {
  const known = memberMaps.get(place);
  if (known) return known;
  const made = new Map<string, Member>();
  const children = childrenAt(place);
  for (const [name, child] of children) {
    const member = toMember(place, child);
    if (member === undefined) continue;
    made.set(name, member);
  }
  if (children.size > 0) memberMaps.set(place, made);
  return made;
}

function toMember(place: string, child: ElementChild): Member | undefined {
  if (child.name === 'id' || child.name === 'meta' || UNREAD.has(`${place}.${child.name}`)) return undefined;
  if (READ_TYPES.has(child.type)) return 'read';
  return /^[a-z]/.test(child.type) || child.type === 'Narrative' ? undefined : child;
}

/** Words in their order, with an empty one between two elements, up to the limits. */
class WordList {
  readonly words: string[] = [];
  private characters = 0;

  add(text: string): void {
    if (this.isFull) return;
    if (this.words.length > 0) this.words.push('');
    for (const word of textWords(text)) {
      this.characters += word.length;
      if (this.isFull) return;
      this.words.push(word);
    }
  }

  private get isFull(): boolean {
    return this.words.length >= MOST_WORDS || this.characters > MOST_CHARACTERS;
  }
}
