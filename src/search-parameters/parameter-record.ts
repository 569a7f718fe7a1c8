import { parseStored } from '../fhir/json.js';
import type { SearchParameterDefinition } from '../fhir/r4/compact.js';
import type { Resource } from '../model/resource.js';
import { type ParsedUplifts, parseUplifts } from './uplift.js';

/** A stored SearchParameter (https://hl7.org/fhir/R4/searchparameter.html), as far as the server acts by it. */
export interface ParameterRecord {
  readonly id: string;
  readonly version: number;
  /** Only an active one is in force. */
  readonly isActive: boolean;
  /** No two resources of a partition may have equal values of its components. */
  readonly isUnique: boolean;
  readonly definition: SearchParameterDefinition;
  /** What its extensions lift; left out where they lift nothing. */
  readonly uplifts?: ParsedUplifts;
}

/** Marks a composite parameter as unique, as HAPI FHIR does. */
const UNIQUE = 'http://hapifhir.io/fhir/StructureDefinition/sp-unique';

/** One stored version of a SearchParameter. */
export interface StoredParameter {
  readonly id: string;
  readonly version: number;
  readonly text: string;
}

/** Reads what was checked when it was written. */
export function toRecord(stored: StoredParameter): ParameterRecord {
  return recordOf(parseStored(stored.text) as Resource, stored);
}

/** The record that a resource will be. */
export function recordOf(
  resource: Resource,
  { id, version }: Pick<ParameterRecord, 'id' | 'version'>,
): ParameterRecord {
  const uplifts = parseUplifts(resource);
  return {
    id,
    version,
    isActive: resource['status'] === 'active',
    isUnique: isUnique(resource),
    definition: toDefinition(resource),
    ...(uplifts && { uplifts }),
  };
}

function isUnique(resource: Resource): boolean {
  return objects(resource['extension']).some(
    ({ url, valueBoolean }) => url === UNIQUE && valueBoolean === true,
  );
}

/** The definition in a SearchParameter resource. What has not the right shape counts as left out. */
export function toDefinition(resource: Resource): SearchParameterDefinition {
  const target = texts(resource['target']);
  const components = objects(resource['component']).map((component) => ({
    definition: text(component['definition']),
    expression: text(component['expression']),
  }));
  return {
    code: text(resource['code']).trim(),
    url: text(resource['url']),
    type: text(resource['type']) as SearchParameterDefinition['type'],
    base: texts(resource['base']),
    expression: text(resource['expression']),
    description: text(resource['description']),
    ...(target.length > 0 ? { target } : {}),
    ...(components.length > 0 ? { components } : {}),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function objects(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value)
    ? value.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null)
    : [];
}
