import { isResourceType } from '../fhir/definitions.js';
import { checkComponent, checkExpression, type ExpressionFinding } from '../fhir/expression/check.js';
import type { TypeSchema } from '../fhir/expression/schema.js';
import type { SearchParameterDefinition } from '../fhir/r4/compact.js';
import { typesOfBase } from '../fhir/search-parameters.js';
import { ERROR_CATALOGUE, ERROR_SYSTEM, FhirError } from '../model/errors.js';
import { NON_PARTITIONABLE_TYPES } from '../model/partition.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { ParameterRecord } from './parameter-record.js';
import { upliftFindings } from './uplift-findings.js';

/** What a new or changed parameter is judged by. */
export interface Standing {
  readonly schema: TypeSchema;
  /** All parameters by id as they will stand beside it, whether in force or not. */
  readonly records: ReadonlyMap<string, ParameterRecord>;
  /** Codes that begin with `_` and parameters of type special are the specification's own. */
  readonly official: ReadonlyMap<string, SearchParameterDefinition>;
  /** Whether it is to hold in one partition alone. */
  readonly isOfPartition: boolean;
}

const CODE = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const TYPES: ReadonlySet<string> = new Set(
  'number date string token reference composite quantity uri special'.split(' '),
);

/** The words are fixed: other servers refuse with the same ones. */
const OVERLAP = "Can't process submitted SearchParameter as it is overlapping an existing one";

/**
 * Refuses a SearchParameter that the server could not act by, also one that is not active: it may become so.
 * @throws FhirError INVALID_RESOURCE with each finding as an issue; SEARCH_PARAMETER_OVERLAP
 */
export function assertAdmissible(record: ParameterRecord, standing: Standing): void {
  const issues = findings(record, standing);
  if (issues.length > 0) {
    throw new FhirError('INVALID_RESOURCE', issues[0]?.diagnostics ?? '', { issues });
  }
  if (record.isActive) assertNoOverlap(record, standing);
}

/** Most SearchParameters of one partition: each of its writes, and each change of one, looks at all of them. */
const MOST_OF_PARTITION = 500;

/** @throws FhirError LIMIT_EXCEEDED where the ids are those of more than a partition may hold */
export function assertFew(ids: readonly string[]): void {
  if (new Set(ids).size <= MOST_OF_PARTITION) return;
  const message = `A partition holds ${MOST_OF_PARTITION} SearchParameters of its own at most.`;
  throw new FhirError('LIMIT_EXCEEDED', message);
}

function findings(record: ParameterRecord, standing: Standing): readonly OutcomeIssue[] {
  const { definition } = record;
  return [
    ...codeFindings(record, standing),
    ...baseFindings(definition, standing),
    ...typeFindings(record, standing),
    ...urlFindings(record, standing),
    ...targetFindings(definition),
    ...componentFindings(definition, standing),
    ...uniqueFindings(record, standing),
    ...upliftFindings(record, standing.records).map(({ place, message }) => invalid(place, message)),
    ...sharedFindings(record, standing),
    ...expressionFindings(record, standing),
  ];
}

function codeFindings({ id, definition }: ParameterRecord, { official }: Standing): readonly OutcomeIssue[] {
  const { code } = definition;
  if (CODE.test(code) || (code !== '' && official.get(id)?.code === code)) return [];
  return [
    invalid(
      'code',
      'a code is a letter and up to 63 more letters, digits, "-" and "_"; "_" begins reserved ones',
    ),
  ];
}

function baseFindings(
  { base }: SearchParameterDefinition,
  { isOfPartition }: Standing,
): readonly OutcomeIssue[] {
  if (base.length === 0) {
    return [invalid('base', 'at least one resource type is needed; to switch a parameter off, retire it')];
  }
  return base.flatMap((type, at) => {
    if (isOfPartition && NON_PARTITIONABLE_TYPES.has(type)) {
      return [invalid(`base[${at}]`, `${type} is kept in DEFAULT, whose search parameters hold for all`)];
    }
    if (type === 'Resource' || type === 'DomainResource' || isResourceType(type)) return [];
    return [invalid(`base[${at}]`, `"${type.slice(0, 80)}" is no resource type of FHIR R4`)];
  });
}

function typeFindings({ id, definition }: ParameterRecord, { official }: Standing): readonly OutcomeIssue[] {
  const { type } = definition;
  if (!TYPES.has(type)) return [invalid('type', `use one of ${[...TYPES].join(', ')}`)];
  if (type !== 'special' || official.get(id)?.type === 'special') return [];
  return [invalid('type', 'what a special parameter means is told by the specification alone')];
}

function urlFindings({ id, definition }: ParameterRecord, { records }: Standing): readonly OutcomeIssue[] {
  if (definition.url === '') return [invalid('url', 'a canonical URL is needed')];
  const same = [...records.values()].some(
    (other) => other.id !== id && other.definition.url === definition.url,
  );
  return same ? [invalid('url', 'another SearchParameter has this URL', 'duplicate')] : [];
}

/** Lifted values are kept for all partitions alike. */
function sharedFindings({ uplifts }: ParameterRecord, { isOfPartition }: Standing): readonly OutcomeIssue[] {
  if (!isOfPartition || !uplifts) return [];
  return [invalid('extension', 'parameters of a partition cannot be uplifted, those of DEFAULT can')];
}

function targetFindings({ target = [] }: SearchParameterDefinition): readonly OutcomeIssue[] {
  return target.flatMap((type, at) =>
    isResourceType(type)
      ? []
      : [invalid(`target[${at}]`, `"${type.slice(0, 80)}" is no resource type of FHIR R4`)],
  );
}

function componentFindings(
  { type, components = [] }: SearchParameterDefinition,
  { records }: Standing,
): readonly OutcomeIssue[] {
  if (type !== 'composite') return [];
  if (components.length === 0) return [invalid('component', 'a composite parameter needs components')];
  return components.flatMap(({ definition }, at) => {
    const url = definition.split('|', 1)[0];
    const part = [...records.values()].find((record) => record.isActive && record.definition.url === url);
    const place = `component[${at}].definition`;
    if (!part) return [invalid(place, `there is no active SearchParameter ${definition.slice(0, 200)}`)];
    return part.definition.type === 'composite'
      ? [invalid(place, 'a component cannot be composite itself')]
      : [];
  });
}

/** A unique combination is compared by the index rows of its components, which must be on all of its types. */
function uniqueFindings(
  { isUnique, definition }: ParameterRecord,
  { records }: Standing,
): readonly OutcomeIssue[] {
  if (!isUnique) return [];
  const { type, base, components = [] } = definition;
  if (type !== 'composite') return [invalid('type', 'only a composite parameter can be unique')];
  if (!base.every(isResourceType)) return [invalid('base', 'a unique parameter names each of its types')];
  return components.flatMap((component, at) => {
    const url = component.definition.split('|', 1)[0];
    const part = [...records.values()].find((record) => record.definition.url === url)?.definition;
    const types = new Set(part?.base.flatMap(typesOfBase));
    if (!part || (COMPARED.has(part.type) && base.every((name) => types.has(name)))) return [];
    const place = `component[${at}].definition`;
    return [
      invalid(
        place,
        'a part of a unique parameter is a string, token, date, number, uri or reference of each base',
      ),
    ];
  });
}

const COMPARED: ReadonlySet<string> = new Set(['string', 'token', 'date', 'number', 'uri', 'reference']);

function expressionFindings(
  { id, definition }: ParameterRecord,
  { schema, official }: Standing,
): readonly OutcomeIssue[] {
  const { expression, type, base } = definition;
  if (expression === '') {
    const needsNone = type === 'composite' || type === 'special' || official.get(id)?.expression === '';
    return needsNone ? [] : [invalid('expression', 'a FHIRPath expression is needed')];
  }
  if (type === 'special' || !TYPES.has(type)) return [];
  for (const name of base) {
    const resourceType = typicalOf(name);
    const found = checkExpression(schema, resourceType, definition);
    if (found) return [invalid('expression', describe(found, expression))];
    const parts = type === 'composite' ? partFindings(definition, resourceType) : [];
    if (parts.length > 0) return parts;
  }
  return [];
}

/** What all resources have, any one of them shows. */
function typicalOf(base: string): string {
  return isResourceType(base) ? base : 'Basic';
}

/** A component without an expression finds nothing, which a unique combination does not need. */
function partFindings(
  { components = [] }: SearchParameterDefinition,
  resourceType: string,
): readonly OutcomeIssue[] {
  return components.flatMap((component, at) => {
    const found = component.expression === '' ? undefined : checkComponent(resourceType, component);
    return found ? [invalid(`component[${at}].expression`, describe(found, component.expression))] : [];
  });
}

function describe({ message, position }: ExpressionFinding, expression: string): string {
  if (position === undefined) return message;
  const rest = expression.slice(position, position + 40);
  return `${message}, at character ${position + 1}${rest === '' ? '' : `: "${rest}"`}`;
}

function invalid(element: string, message: string, code = 'invalid'): OutcomeIssue {
  const expression = `SearchParameter.${element}`;
  return {
    severity: 'error',
    code,
    details: { coding: [{ system: ERROR_SYSTEM, code: 'INVALID_RESOURCE' }] },
    diagnostics: `${expression}: ${message}.`,
    expression: [expression],
  };
}

/** One code means one thing on a resource type. */
function assertNoOverlap({ id, definition }: ParameterRecord, { records }: Standing): void {
  const types = new Set(definition.base.flatMap(typesOfBase));
  const shared = [...records.values()].flatMap((other) => {
    if (!other.isActive || other.id === id || other.definition.code !== definition.code) return [];
    const common = [...new Set(other.definition.base.flatMap(typesOfBase))].filter((type) => types.has(type));
    return common.length > 0 ? [{ url: other.definition.url, common }] : [];
  });
  if (shared.length === 0) return;
  const { issue, advice } = ERROR_CATALOGUE.SEARCH_PARAMETER_OVERLAP;
  const coding = [{ system: ERROR_SYSTEM, code: 'SEARCH_PARAMETER_OVERLAP' }];
  const issues: OutcomeIssue[] = [
    {
      severity: 'error',
      code: issue,
      details: { coding, text: advice },
      diagnostics: OVERLAP,
      expression: ['SearchParameter.base'],
    },
    ...shared.map(({ url, common }): OutcomeIssue => ({
      severity: 'information',
      code: 'informational',
      diagnostics: `"${definition.code}" is ${url} already on ${common.join(', ')}.`,
    })),
  ];
  throw new FhirError('SEARCH_PARAMETER_OVERLAP', OVERLAP, { issues });
}
