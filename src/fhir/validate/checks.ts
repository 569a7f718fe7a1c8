import { isResourceType } from '../definitions.js';
import { parseReference } from '../references.js';
import { nearestName } from '../../model/nearest-name.js';
import type { BoundCodes } from './bindings.js';
import { childPath, MAX_DEPTH, quote, type Findings } from './findings.js';
import { checkNarrative } from './narrative.js';
import { PRIMITIVES, type PrimitiveName } from './primitives.js';
import { typeRules } from './rules.js';

/** Checks one value against a type; `path` is where it stands. */
export type Check = (value: unknown, path: string, findings: Findings) => void;

/** An object as JSON has it. */
export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_NAME = 60;
const MAX_REFERENCE_TAIL = 256;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const REFERENCE_TYPE =
  /(?:^|\/)([A-Z][A-Za-z]{1,63})\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** Whether the value is an object that can be looked into; tells why not. */
export function isObject(value: unknown, path: string, findings: Findings): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    findings.error('structure', path, `must be one object, not ${nounOf(value)}`);
    return false;
  }
  if (findings.depth < MAX_DEPTH) return true;
  findings.error('too-costly', path, `is nested deeper than ${MAX_DEPTH} levels; send a flatter resource`);
  return false;
}

/** Tells that a list is none. */
export function notAList(value: unknown, path: string, findings: Findings): void {
  const actual = Array.isArray(value) ? 'an empty array; leave the element out instead' : nounOf(value);
  findings.error('structure', path, `must be an array with at least one value, not ${actual}`);
}

/** Tells why a value is not of a primitive datatype. */
export function notPrimitive(value: unknown, name: PrimitiveName, path: string, findings: Findings): void {
  const { json, expected } = PRIMITIVES[name];
  if (typeof value === json) {
    findings.error('value', path, `${quote(value)} is not a valid ${name}; send ${expected}`);
  } else {
    findings.error('structure', path, `must be one JSON ${json}, not ${nounOf(value)}`);
  }
}

/** Tells that an object has a property that its type has not. */
export function unknownElement(key: string, owner: string, path: string, findings: Findings): void {
  if (findings.isFull) return;
  const type = owner.split('.', 1)[0] ?? owner;
  const elements = typeRules(type).objects.get(owner)?.elements ?? [];
  const names = elements.flatMap(({ properties }) => properties.map(({ property }) => property));
  const near = key.length > MAX_NAME ? undefined : nearestName(key, names);
  const advice = near === undefined ? 'remove it' : `did you mean ${near}?`;
  findings.error('structure', childPath(path, key), `unknown element ${quote(key)} in ${owner}; ${advice}`);
}

/** Tells that an object has two values of one choice. */
export function severalChoices(first: string, second: string, path: string, findings: Findings): void {
  findings.error('structure', path, `has both ${first} and ${second}; send one of them`);
}

/** Tells that a required element is not there. */
export function missing(path: string, findings: Findings): void {
  findings.error('required', path, 'is required; add it');
}

/** Tells that an element has neither value nor children (ele-1). */
export function empty(path: string, findings: Findings): void {
  findings.error('structure', path, 'is empty; give it a value or leave it out');
}

/** Checks that an extension has either a value or extensions (ext-1). */
export function checkExtension(extensions: unknown, value: unknown, path: string, findings: Findings): void {
  if ((extensions === undefined) !== (value === undefined)) return;
  const both = value !== undefined;
  findings.error(
    'structure',
    path,
    `has ${both ? 'both a value and' : 'neither a value nor'} extensions; send one of them`,
  );
}

/** Checks a code against the value set that it must be from. */
export function checkCode(value: unknown, bound: BoundCodes, path: string, findings: Findings): void {
  if (findings.isFull || bound.codes.has(value as string)) return;
  findings.error('code-invalid', path, `code ${quote(value)} is not in ${bound.valueSet}; ${someOf(bound)}`);
}

/** Checks that a Coding is, or that one Coding of a CodeableConcept is, from the value set that it must be from. */
export function checkConcept(value: unknown, bound: BoundCodes, path: string, findings: Findings): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const { coding, code, extension } = value as JsonObject;
  const codings: readonly unknown[] = Array.isArray(coding) ? coding : code === undefined ? [] : [value];
  if (findings.isFull) return;
  if (codings.some((each) => isBound(each, bound)) || (codings.length === 0 && extension !== undefined))
    return;
  findings.error('code-invalid', path, `has no coding from ${bound.valueSet}; ${someOf(bound)}`);
}

function isBound(coding: unknown, { bySystem }: BoundCodes): boolean {
  if (typeof coding !== 'object' || coding === null) return false;
  const { system, code } = coding as JsonObject;
  return bySystem.get(system as string)?.has(code as string) ?? false;
}

function someOf({ codes }: BoundCodes): string {
  const listed = [...codes].slice(0, 12).join(', ');
  return `use ${codes.size > 12 ? `one of its ${codes.size} codes: ${listed}, …` : `one of ${listed}`}`;
}

/** Checks that a literal reference can lead anywhere (https://hl7.org/fhir/R4/references.html#literal). */
export function checkReference(value: unknown, path: string, findings: Findings): void {
  if (typeof value !== 'object' || value === null) return;
  const { reference } = value as JsonObject;
  if (typeof reference !== 'string' || reference === '' || ABSOLUTE.test(reference)) return;
  if (parseReference(reference).kind !== 'other') return;
  const expected = 'send Type/id of an R4 type, an absolute URL, or #id of a contained resource';
  findings.error('value', `${path}.reference`, `${quote(reference)} is not a reference; ${expected}`);
}

/** Warns where a literal reference is to another type than the element may refer to. */
export function checkTarget(
  value: unknown,
  targets: ReadonlySet<string>,
  path: string,
  findings: Findings,
): void {
  if (typeof value !== 'object' || value === null) return;
  const { reference } = value as JsonObject;
  if (typeof reference !== 'string' || reference.startsWith('#') || reference.startsWith('urn:')) return;
  const type = REFERENCE_TYPE.exec(reference.slice(-MAX_REFERENCE_TAIL))?.[1];
  if (type === undefined || targets.has(type) || !isResourceType(type)) return;
  findings.warning('structure', path, `refers to a ${type}; it should refer to ${[...targets].join(' or ')}`);
}

/** Checks the XHTML of a narrative. */
export function checkXhtml(value: unknown, path: string, findings: Findings): void {
  if (typeof value !== 'string') {
    findings.error('structure', path, `must be one JSON string, not ${nounOf(value)}`);
    return;
  }
  const finding = checkNarrative(value);
  if (finding) findings.add({ code: 'value', path, ...finding });
}

function nounOf(value: unknown): string {
  if (value === null) return 'null; leave the element out instead';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
