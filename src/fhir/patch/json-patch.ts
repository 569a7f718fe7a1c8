import { FhirError, type FhirErrorOptions } from '../../model/errors.js';
import type { Resource } from '../../model/resource.js';
import { numberText, withMember, withoutMember } from '../json/number-texts.js';
import { changeAt, finishPatch, isObject, MAX_COPIED_VALUES, memberAt } from './patched.js';

/** A value, and how it is written if it is a number. */
interface Written {
  readonly value: unknown;
  readonly text: string | undefined;
}

interface Pointer {
  readonly text: string;
  readonly tokens: readonly string[];
  /** The type of the resource that it leads into. */
  readonly type: string;
}

type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: Pointer; readonly written: Written }
  | { readonly op: 'remove'; readonly path: Pointer }
  | { readonly op: 'move' | 'copy'; readonly path: Pointer; readonly from: Pointer };

/**
 * Applies a JSON Patch (https://www.rfc-editor.org/rfc/rfc6902, https://hl7.org/fhir/R4/http.html#patch), as
 * `parseJson` gave it. Returns a new resource that shares what was not touched; lists that the patch emptied are
 * gone.
 *
 * Throws INVALID_REQUEST if the patch is malformed, INVALID_RESOURCE if a path does not exist, a test fails, or
 * `resourceType` or `id` would change, LIMIT_EXCEEDED if it copies too much.
 */
export function applyJsonPatch(resource: Resource, operations: unknown): Resource {
  if (!Array.isArray(operations)) throw malformed('a JSON Patch is an array of operations');
  const budget = { values: MAX_COPIED_VALUES };
  const patched = operations
    .map((operation, index) => parseOperation(operation, index, resource.resourceType))
    .reduce<unknown>((document, operation) => applyOne(document, operation, budget), resource);
  return finishPatch(resource, patched, operations);
}

function parseOperation(source: unknown, index: number, type: string): Operation {
  if (!isObject(source)) throw malformed(`operation ${index} is not an object`);
  const { op } = source;
  const path = parsePointer(source.path, `path of operation ${index}`, type);
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(source, 'value')) throw malformed(`operation ${index} has no value`);
      return { op, path, written: { value: source.value, text: numberText(source, 'value') } };
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy':
      return { op, path, from: parsePointer(source.from, `from of operation ${index}`, type) };
    default:
      throw malformed(`operation ${index} must be add, remove, replace, move, copy or test`);
  }
}

/** https://www.rfc-editor.org/rfc/rfc6901 */
function parsePointer(text: unknown, what: string, type: string): Pointer {
  if (typeof text !== 'string' || !/^(?:\/(?:[^~/]|~[01])*)*$/.test(text)) {
    throw malformed(`${what} is not a JSON Pointer`);
  }
  const tokens = text.split('/').slice(1);
  if (tokens.includes('__proto__')) throw malformed(`${what} leads through __proto__`);
  return { text, type, tokens: tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')) };
}

function applyOne(document: unknown, operation: Operation, budget: { values: number }): unknown {
  const { path } = operation;
  switch (operation.op) {
    case 'add':
      return add(document, path, operation.written);
    case 'remove':
      return remove(document, path);
    case 'replace':
      return replace(document, path, operation.written);
    case 'test':
      return assertEqual(document, path, operation.written);
    case 'move':
      if (path.text.startsWith(`${operation.from.text}/`)) throw malformed('a value cannot move into itself');
      return add(remove(document, operation.from), path, readAt(document, operation.from));
    case 'copy': {
      const copied = readAt(document, operation.from);
      spend(copied.value, budget);
      return add(document, path, copied);
    }
    default:
      return operation satisfies never;
  }
}

function readAt(document: unknown, pointer: Pointer): Written {
  const last = pointer.tokens.at(-1);
  if (last === undefined) return { value: document, text: undefined };
  const holder = holderOf(document, pointer);
  const key = existingKey(holder, last, pointer);
  return { value: memberAt(holder, key), text: numberText(holder, key) };
}

/** The object or array that the last token of the pointer is looked up in. */
function holderOf(document: unknown, pointer: Pointer): Record<string, unknown> {
  let holder = document;
  for (const token of pointer.tokens.slice(0, -1))
    holder = memberAt(holder, existingKey(holder, token, pointer));
  if (!isObject(holder)) throw notFound(pointer);
  return holder;
}

function existingKey(holder: unknown, token: string, pointer: Pointer): string {
  if (Array.isArray(holder)) return String(parseIndex(token, holder.length - 1, pointer));
  if (!isObject(holder) || !Object.hasOwn(holder, token)) throw notFound(pointer);
  return token;
}

function parseIndex(token: string, last: number, pointer: Pointer): number {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(token) || Number(token) > last) throw notFound(pointer);
  return Number(token);
}

/** Changes the holder of what the pointer names. The last token is all that may not exist yet. */
function changeHolder(
  document: unknown,
  pointer: Pointer,
  change: (holder: object, token: string) => unknown,
): unknown {
  holderOf(document, pointer);
  const steps = pointer.tokens.slice(0, -1);
  return changeAt(document, steps, (holder) => change(holder as object, pointer.tokens.at(-1)!));
}

function add(document: unknown, path: Pointer, { value, text }: Written): unknown {
  if (path.tokens.length === 0) return value;
  return changeHolder(document, path, (holder, token) => {
    if (!Array.isArray(holder)) return withMember(holder, token, value, text);
    const index = token === '-' ? holder.length : parseIndex(token, holder.length, path);
    return holder.toSpliced(index, 0, value);
  });
}

function remove(document: unknown, path: Pointer): unknown {
  if (path.tokens.length === 0) throw malformed('a patch cannot remove the whole resource');
  return changeHolder(document, path, (holder, token) => {
    const key = existingKey(holder, token, path);
    return Array.isArray(holder) ? holder.toSpliced(Number(key), 1) : withoutMember(holder, key);
  });
}

function replace(document: unknown, path: Pointer, { value, text }: Written): unknown {
  if (path.tokens.length === 0) return value;
  return changeHolder(document, path, (holder, token) => {
    const key = existingKey(holder, token, path);
    return Array.isArray(holder) ? holder.with(Number(key), value) : withMember(holder, key, value, text);
  });
}

function assertEqual(document: unknown, path: Pointer, { value }: Written): unknown {
  if (isEqual(readAt(document, path).value, value)) return document;
  throw new FhirError(
    'INVALID_RESOURCE',
    `The test of ${quote(path)} failed: the value is another.`,
    placeOf(path),
  );
}

function isEqual(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return one === other;
  const keys = Object.keys(one);
  if (Array.isArray(one) !== Array.isArray(other) || keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]));
}

function spend(value: unknown, budget: { values: number }): void {
  if (--budget.values < 0) throw new FhirError('LIMIT_EXCEEDED', 'The patch copies too many values.');
  if (isObject(value)) for (const key of Object.keys(value)) spend(value[key], budget);
}

function malformed(what: string): FhirError {
  return new FhirError('INVALID_REQUEST', `Malformed JSON Patch: ${what}.`);
}

function notFound(pointer: Pointer): FhirError {
  return new FhirError(
    'INVALID_RESOURCE',
    `The resource has nothing at ${quote(pointer)}.`,
    placeOf(pointer),
  );
}

/** A pointer as FHIRPath, where it leads along names and places: `/name/0/_family` is `Patient.name[0].family`. */
function placeOf({ type, tokens }: Pointer): FhirErrorOptions {
  const steps = tokens.filter((token) => token !== '-');
  if (!steps.every((token) => /^(?:\d{1,9}|_?[A-Za-z][A-Za-z0-9]{0,63})$/.test(token))) return {};
  const path = steps.map((token) => (/^\d/.test(token) ? `[${token}]` : `.${token.replace('_', '')}`));
  return { expression: [`${type}${path.join('')}`] };
}

function quote({ text }: Pointer): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
