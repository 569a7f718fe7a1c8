import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  unpackStructures,
  type CompactStructure,
  type CompartmentDefinitions,
  type PackedStructures,
  type RequiredValueSets,
  type SearchParameterDefinition,
} from './r4/compact.js';
import type { Resource } from '../model/resource.js';
import { RESOURCE_TYPES } from './r4/resource-types.js';

/** Whether the name is one of R4's concrete resource types. Reads no file. */
export function isResourceType(name: string): boolean {
  return RESOURCE_TYPES.has(name);
}

/** R4's resource types, datatypes and primitives by name. Read from disk on the first call (some 20 ms). */
export const structureDefinitions: () => ReadonlyMap<string, CompactStructure> = lazily(() =>
  unpackStructures(readDefinitions<PackedStructures>('structure-definitions')),
);

/** R4's 1,375 search parameters, as published. Read from disk on the first call. */
export const searchParameterDefinitions: () => readonly SearchParameterDefinition[] = lazily(() =>
  readDefinitions<readonly SearchParameterDefinition[]>('search-parameters'),
);

/**
 * The same 1,375 as whole SearchParameter resources, as published but for their status: active. Read from disk on
 * every call, as they are needed once in the life of a database.
 */
export function searchParameterResources(): readonly Resource[] {
  return readDefinitions<readonly Resource[]>('search-parameter-resources');
}

/** R4's five compartments. Read from disk on the first call. */
export const compartmentDefinitions: () => CompartmentDefinitions = lazily(() =>
  readDefinitions<CompartmentDefinitions>('compartments'),
);

/** Codes of the value sets of required bindings; a set that cannot be listed (UCUM) is not in it. */
export const requiredValueSets: () => RequiredValueSets = lazily(() =>
  readDefinitions<RequiredValueSets>('value-sets'),
);

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

function readDefinitions<Shape>(name: string): Shape {
  const file = join(packageRoot(), 'build', 'definitions', 'r4', `${name}.json.gz`);
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Shape;
}

/**
 * The folder of this package's package.json, found by walking up, so that it does not matter which output
 * folder or node_modules the module runs from.
 */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isPackageRoot(folder)) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of bulkhead-fhir not found above this module');
    folder = parent;
  }
  return folder;
}

/** The version of this package. */
export function packageVersion(): string {
  const manifest = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function isPackageRoot(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'bulkhead-fhir';
}
