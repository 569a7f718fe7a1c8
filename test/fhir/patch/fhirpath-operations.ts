import { parseJson, stringifyJson } from '../../../src/fhir/json.js';
import { applyFhirPathPatch } from '../../../src/fhir/patch/fhirpath-patch.js';
import type { Resource } from '../../../src/model/resource.js';

/** A parameter of a FHIRPath Patch, or a part of one. */
export interface Part {
  readonly name: string;
  readonly [value: string]: unknown;
}

/** `valueCode` for the type, `valueString` for path and name, as the specification has it. */
export function operation(type: string, path: string, ...others: readonly Part[]): Part {
  return {
    name: 'operation',
    part: [{ name: 'type', valueCode: type }, { name: 'path', valueString: path }, ...others],
  };
}

export function add(path: string, name: string, value: Record<string, unknown>): Part {
  return operation('add', path, { name: 'name', valueString: name }, { name: 'value', ...value });
}

export function insert(path: string, index: number, value: Record<string, unknown>): Part {
  return operation('insert', path, { name: 'index', valueInteger: index }, { name: 'value', ...value });
}

export function replace(path: string, value: Record<string, unknown>): Part {
  return operation('replace', path, { name: 'value', ...value });
}

export function move(path: string, source: number, destination: number): Part {
  return operation(
    'move',
    path,
    { name: 'source', valueInteger: source },
    { name: 'destination', valueInteger: destination },
  );
}

export function remove(path: string): Part {
  return operation('delete', path);
}

/** Through JSON on both sides, so that number texts are judged too; the resource is frozen. */
export function patched(resource: object, ...operations: readonly Part[]): unknown {
  const parsed = deepFreeze(
    parseJson(JSON.stringify({ resourceType: 'Patient', id: 'a', ...resource })),
  ) as Resource;
  const {
    resourceType: _type,
    id: _id,
    ...elements
  } = JSON.parse(
    stringifyJson(applyFhirPathPatch(parsed, { resourceType: 'Parameters', parameter: operations })),
  );
  return elements;
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
