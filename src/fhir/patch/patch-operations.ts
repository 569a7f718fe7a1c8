import { FhirError } from '../../model/errors.js';
import { numberText } from '../json/number-texts.js';
import { isObject } from './patched.js';

/** One value of FHIR JSON: what its member holds, what the member with the underscore holds, and a number's text. */
export interface Item {
  readonly value: unknown;
  readonly twin: unknown;
  readonly text?: string | undefined;
}

/** The value of an operation: of a datatype, a resource, or put together from named parts. */
export type PatchValue =
  | { readonly kind: 'typed'; readonly type: string; readonly item: Item }
  | { readonly kind: 'parts'; readonly parts: readonly NamedValue[] };

/** A part of a value whose type has no name, such as Patient.contact. */
export interface NamedValue {
  readonly name: string;
  readonly value: PatchValue;
}

/** One operation of a FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html). */
export type PatchOperation =
  | { readonly type: 'add'; readonly path: string; readonly name: string; readonly value: PatchValue }
  | { readonly type: 'insert'; readonly path: string; readonly index: number; readonly value: PatchValue }
  | { readonly type: 'delete'; readonly path: string }
  | { readonly type: 'replace'; readonly path: string; readonly value: PatchValue }
  | { readonly type: 'move'; readonly path: string; readonly source: number; readonly destination: number };

type Part = Readonly<Record<string, unknown>>;

/** Reads the operations of a Parameters resource. Throws INVALID_REQUEST. */
export function parsePatchOperations(parameters: unknown): PatchOperation[] {
  if (!isObject(parameters) || parameters.resourceType !== 'Parameters') {
    throw malformed('it must be a Parameters resource');
  }
  return partsOf(parameters.parameter, 'Parameters.parameter').map((parameter, index) => {
    if (parameter.name !== 'operation') throw malformed('every parameter must be named operation');
    return parseOperation(partsOf(parameter.part, `operation ${index}`), index);
  });
}

function parseOperation(parts: readonly Part[], index: number): PatchOperation {
  const find = (name: string) => findOne(parts, name, index);
  const path = textOf(find('path'), `path of operation ${index}`);
  const type = textOf(find('type'), `type of operation ${index}`);
  switch (type) {
    case 'add':
      return {
        type,
        path,
        name: textOf(find('name'), `name of operation ${index}`),
        value: valueOf(find('value')),
      };
    case 'insert':
      return { type, path, index: indexOf(find('index'), 'index'), value: valueOf(find('value')) };
    case 'delete':
      return { type, path };
    case 'replace':
      return { type, path, value: valueOf(find('value')) };
    case 'move':
      return {
        type,
        path,
        source: indexOf(find('source'), 'source'),
        destination: indexOf(find('destination'), 'destination'),
      };
    default:
      throw malformed(`operation ${index} must be add, insert, delete, replace or move`);
  }
}

function partsOf(value: unknown, what: string): readonly Part[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw malformed(`${what} has no list of parts`);
  return value;
}

function findOne(parts: readonly Part[], name: string, index: number): Part | undefined {
  const found = parts.filter((part) => part.name === name);
  if (found.length > 1) throw malformed(`operation ${index} has more than one ${name}`);
  return found[0];
}

function textOf(part: Part | undefined, what: string): string {
  const text = part?.valueString ?? part?.valueCode;
  if (typeof text !== 'string' || text === '') throw malformed(`the ${what} is missing`);
  return text;
}

function indexOf(part: Part | undefined, name: string): number {
  const index = part?.valueInteger ?? part?.valueUnsignedInt ?? part?.valuePositiveInt;
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) {
    throw malformed(`${name} must be an integer from 0`);
  }
  return index;
}

function valueOf(part: Part | undefined): PatchValue {
  if (!part) throw malformed('an operation has no value');
  if (isObject(part.resource)) {
    return { kind: 'typed', type: 'Resource', item: { value: part.resource, twin: undefined } };
  }
  const key = Object.keys(part)
    .find((name) => /^_?value[A-Z]/.test(name))
    ?.replace('_', '');
  if (key !== undefined) {
    const item = { value: part[key], twin: part[`_${key}`], text: numberText(part, key) };
    return { kind: 'typed', type: key.slice('value'.length), item };
  }
  const parts = partsOf(part.part, 'a value').map((inner) => ({
    name: nameOf(inner),
    value: valueOf(inner),
  }));
  if (parts.length === 0) throw malformed('a value is empty');
  return { kind: 'parts', parts };
}

function nameOf(part: Part): string {
  if (typeof part.name !== 'string' || part.name === '') throw malformed('a part of a value has no name');
  return part.name;
}

function malformed(what: string): FhirError {
  return new FhirError('INVALID_REQUEST', `Malformed FHIRPath Patch: ${what}.`);
}
