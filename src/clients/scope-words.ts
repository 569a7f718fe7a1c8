import { isResourceType } from '../fhir/definitions.js';
import { parseSmartScope } from '../model/smart-scope.js';

/** SMART scopes as words, without what they open: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html. */

/** Letters of a version 2 scope, in their order: create, read, update, delete, search. */
const LETTERS = 'cruds';

/** What the words of version 1 mean: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources */
const VERSION_1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** A scope for FHIR resources. */
interface ResourceScope {
  readonly context: string;
  /** `*`: all of them. */
  readonly type: string;
  /** Letters in the order of `cruds`. */
  readonly permissions: string;
  /** Search parameters that restrict it, `a=b&c=d`; empty: none. */
  readonly restriction: string;
}

const SCOPE_WORD = /^[!#-[\]-~]+$/;
const RESOURCE_SCOPE = /^(patient|user|system)\/(\*|[A-Za-z]+)\.(read|write|\*|[cruds]+)(?:\?(.+))?$/;

/** The words of a scope, each once; undefined where one has a character that is not allowed (RFC 6749 section 3.3). */
export function splitScope(scope: string): readonly string[] | undefined {
  const words = [...new Set(scope.split(' ').filter((word) => word !== ''))];
  return words.every((word) => SCOPE_WORD.test(word)) ? words : undefined;
}

/** Whether the word is a scope for FHIR resources that this version understands: of another type it would open nothing. */
export function isResourceScope(word: string): boolean {
  const scope = parseSmartScope(word);
  return scope !== undefined && (scope.type === '*' || isResourceType(scope.type));
}

/**
 * What is granted of a scope that is asked for, where `granted` may be: each word as it was asked for where it is allowed
 * as a whole, else the part of it that is; nothing else.
 */
export function narrowScope(asked: readonly string[], granted: readonly string[]): readonly string[] {
  return [...new Set(asked.flatMap((word) => narrowWord(word, granted)))];
}

function narrowWord(word: string, granted: readonly string[]): readonly string[] {
  if (granted.includes(word)) return [word];
  const asked = parse(word);
  if (asked === undefined) return [];
  const parts = granted
    .map(parse)
    .filter((one) => one !== undefined)
    .map((one) => common(asked, one))
    .filter((one) => one !== undefined);
  const isWhole = parts.some((part) => isSame(part, asked));
  return isWhole ? [word] : parts.map(toWord);
}

function parse(word: string): ResourceScope | undefined {
  if (!isResourceScope(word)) return undefined;
  const [, context, type, letters, restriction = ''] = RESOURCE_SCOPE.exec(word) ?? [];
  if (context === undefined || type === undefined || letters === undefined) return undefined;
  return { context, type, permissions: VERSION_1[letters] ?? letters, restriction };
}

/** What both of them allow. */
function common(asked: ResourceScope, granted: ResourceScope): ResourceScope | undefined {
  if (asked.context !== granted.context) return undefined;
  if (asked.type !== granted.type && asked.type !== '*' && granted.type !== '*') return undefined;
  const permissions = [...LETTERS]
    .filter((letter) => asked.permissions.includes(letter) && granted.permissions.includes(letter))
    .join('');
  if (permissions === '') return undefined;
  const restrictions = new Set([asked.restriction, granted.restriction].filter((one) => one !== ''));
  return {
    context: asked.context,
    type: asked.type === '*' ? granted.type : asked.type,
    permissions,
    restriction: [...restrictions].join('&'),
  };
}

function isSame(one: ResourceScope, other: ResourceScope): boolean {
  return toWord(one) === toWord(other);
}

function toWord({ context, type, permissions, restriction }: ResourceScope): string {
  return `${context}/${type}.${permissions}${restriction === '' ? '' : `?${restriction}`}`;
}
