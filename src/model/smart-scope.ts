import type { QueryParameter } from './request.js';

/** What may be done with resources of a type: the letters `c r u d s` of SMART scopes. */
export type Permission = 'create' | 'read' | 'update' | 'delete' | 'search';

/** One word of a token's scope that is about resources. */
export interface SmartScope {
  /** Whose: of one patient, of a user, or of a system. */
  readonly level: 'patient' | 'user' | 'system';
  /** A resource type; `*`: every one. */
  readonly type: string;
  readonly permissions: ReadonlySet<Permission>;
  /** Search parameters that the resources must match, all of them, decoded; empty: they need not. */
  readonly criteria: readonly QueryParameter[];
}

const WORD = /^(patient|user|system)\/([A-Z][A-Za-z]{1,63}|\*)\.(read|write|\*|c?r?u?d?s?)(?:\?(.+))?$/;
const PAIR = /^([^=]*)=(.*)$/;
/** A parameter of the type itself, with or without a modifier: no chain, nothing about results. */
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}(?::[A-Za-z][A-Za-z-]{0,63})?$/;
const COMMON: ReadonlySet<string> = new Set([
  '_id',
  '_lastUpdated',
  '_profile',
  '_security',
  '_source',
  '_tag',
]);

const LETTERS: readonly (readonly [letter: string, permission: Permission])[] = [
  ['c', 'create'],
  ['r', 'read'],
  ['u', 'update'],
  ['d', 'delete'],
  ['s', 'search'],
];

/** What version 1 calls them: https://hl7.org/fhir/smart-app-launch/1.0.0/scopes-and-launch-context/. */
const WORDS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * Reads one word of a scope, of version 1 or 2
 * (https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html). Undefined for everything that is not exactly
 * of the grammar, or is about something else: it grants nothing.
 */
export function parseSmartScope(word: string): SmartScope | undefined {
  const match = WORD.exec(word);
  if (match === null) return undefined;
  const [, level = '', type = '', access = '', query] = match;
  const old = Object.hasOwn(WORDS, access) ? WORDS[access] : undefined;
  if (access === '' || (old !== undefined && query !== undefined)) return undefined;
  const criteria = query === undefined ? [] : parseCriteria(query);
  if (criteria === undefined) return undefined;
  return { level: level as SmartScope['level'], type, permissions: permissionsOf(old ?? access), criteria };
}

function permissionsOf(letters: string): ReadonlySet<Permission> {
  const granted = LETTERS.filter(([letter]) => letters.includes(letter));
  return new Set(granted.map(([, permission]) => permission));
}

/** Undefined where a part of it is not understood: what is left out would only widen what is granted. */
function parseCriteria(query: string): readonly QueryParameter[] | undefined {
  const criteria: QueryParameter[] = [];
  for (const pair of query.split('&')) {
    const [, name, value] = (PAIR.exec(pair) ?? []).map(decode);
    if (name === undefined || !NAME.test(name) || !value?.trim()) return undefined;
    if (name.startsWith('_') && !COMMON.has(name.replace(/:.*/, ''))) return undefined;
    criteria.push([name, value]);
  }
  return criteria;
}

/** A plus sign may stand for a space or for itself: whoever means either has to say so. */
function decode(text: string): string | undefined {
  if (text.includes('+')) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
