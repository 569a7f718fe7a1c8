import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import test from 'ava';
import { structureDefinitions } from '../../../src/fhir/definitions.js';
import type { CompactElement, CompactStructure } from '../../../src/fhir/r4/compact.js';

/** Interface name to its property names and their types, as @types/fhir declares them; inherited ones included. */
type Declarations = ReadonlyMap<string, ReadonlyMap<string, string>>;

const BACKBONES = new Set(['BackboneElement', 'Element']);

function readDeclarations(): Declarations {
  const folder = dirname(createRequire(import.meta.url).resolve('@types/fhir/package.json'));
  const source = readFileSync(join(folder, 'r4.d.ts'), 'utf8');
  const own = new Map<string, Map<string, string>>();
  const bases = new Map<string, string>();
  for (const [, name = '', base = '', body = ''] of source.matchAll(INTERFACE)) {
    own.set(
      name,
      new Map([...body.matchAll(PROPERTY)].map(([, property = '', type = '']) => [property, type])),
    );
    bases.set(name, base);
  }
  const withInherited = (name: string): [string, string][] =>
    own.has(name) ? [...withInherited(bases.get(name) ?? ''), ...(own.get(name) ?? [])] : [];
  return new Map([...own.keys()].map((name) => [name, new Map(withInherited(name))]));
}

const INTERFACE = /^export interface (\w+)(?:<.*?>)?(?: extends (\w+))? \{\n([\s\S]*?)^\}/gm;
const PROPERTY = /^ {2}(?:readonly )?(\w+)\??: (.+);/gm;

/** JSON property names of the elements directly below a path, with the element that each comes from. */
function propertiesBelow(structure: CompactStructure, path: string): Map<string, CompactElement> {
  const depth = path.split('.').length + 1;
  const children = structure.elements.filter(
    (element) => element.path.startsWith(`${path}.`) && element.path.split('.').length === depth,
  );
  return new Map(
    children.flatMap((element) => propertyNames(element).map((name) => [name, element] as const)),
  );
}

function propertyNames({ path, types }: CompactElement): string[] {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (!name.endsWith('[x]')) return [name];
  return types.map(({ code }) => name.slice(0, -3) + code.charAt(0).toUpperCase() + code.slice(1));
}

/**
 * Differences between a definition and its declaration, parts included. The declarations give parts of datatypes
 * a modifierExtension that R4 does not.
 */
function differences(structure: CompactStructure, path: string, name: string, all: Declarations): string[] {
  const declared = all.get(name);
  if (!declared) return [`${path}: no interface ${name}`];
  const defined = propertiesBelow(structure, path);
  const excused = path.includes('.') && !defined.has('modifierExtension') ? 'modifierExtension' : undefined;
  const expected = [...declared.keys()].filter(
    (key) => !key.startsWith('_') && key !== 'resourceType' && key !== excused,
  );
  const missing = expected.filter((key) => !defined.has(key)).map((key) => `${path} lacks ${key}`);
  const extra = [...defined.keys()].filter((key) => !declared.has(key)).map((key) => `${path} has ${key}`);
  const below = [...defined].flatMap(([key, element]) => {
    if (!BACKBONES.has(element.types[0]?.code ?? '')) return [];
    const part = /^\w+/.exec(declared.get(key) ?? '')?.[0] ?? '';
    return BACKBONES.has(part) ? [] : differences(structure, element.path, part, all);
  });
  const plural = [...defined].flatMap(([key, { max, path: at }]) => {
    const type = declared.get(key);
    return type && /\[\]/.test(type) !== max > 1 ? [`${at} repeats differently`] : [];
  });
  return [...missing, ...extra, ...plural, ...below];
}

test('there are the 146 resource types of R4, and no others', (t) => {
  const types = [...structureDefinitions().values()].filter(
    ({ kind, abstract }) => kind === 'resource' && !abstract,
  );
  t.is(types.length, 146);
});

test('every resource type and datatype has exactly the elements of R4', (t) => {
  const declarations = readDeclarations();
  const structures = [...structureDefinitions().values()].filter(
    ({ kind, abstract }) => kind !== 'primitive-type' && !abstract,
  );
  t.is(structures.length, 185);
  t.deepEqual(
    structures.flatMap((structure) => differences(structure, structure.type, structure.type, declarations)),
    [],
  );
});

function elementOf(type: string, path: string): CompactElement {
  const found = structureDefinitions()
    .get(type)
    ?.elements.find((one) => one.path === path);
  if (!found) throw new Error(`no element ${path}`);
  return found;
}

test('EvidenceVariable.characteristic is mandatory and defined by one of six types', (t) => {
  t.is(elementOf('EvidenceVariable', 'EvidenceVariable.characteristic').min, 1);
  const definition = elementOf('EvidenceVariable', 'EvidenceVariable.characteristic.definition[x]');
  t.is(definition.min, 1);
  t.deepEqual(
    definition.types.map(({ code }) => code),
    ['Reference', 'canonical', 'CodeableConcept', 'Expression', 'DataRequirement', 'TriggerDefinition'],
  );
  t.deepEqual(
    elementOf('EvidenceVariable', 'EvidenceVariable.characteristic').constraints.map(({ key }) => key),
    ['ele-1'],
  );
});

test('DetectedIssue.status is bound to the statuses of observations', (t) => {
  t.is(
    elementOf('DetectedIssue', 'DetectedIssue.status').binding?.valueSet,
    'http://hl7.org/fhir/ValueSet/observation-status',
  );
});

function targets(type: string, path: string): string[] | undefined {
  return elementOf(type, path).types[0]?.targets?.toSorted();
}

test('reference targets that were widened are those of R4', (t) => {
  t.deepEqual(targets('ResearchStudy', 'ResearchStudy.site'), ['Location']);
  t.deepEqual(targets('MeasureReport', 'MeasureReport.subject'), [
    'Device',
    'Group',
    'Location',
    'Patient',
    'Practitioner',
    'PractitionerRole',
    'RelatedPerson',
  ]);
  t.deepEqual(targets('AuditEvent', 'AuditEvent.source.observer'), [
    'Device',
    'Organization',
    'Patient',
    'Practitioner',
    'PractitionerRole',
    'RelatedPerson',
  ]);
});

test('the outcome of a bundle entry may be any resource', (t) => {
  t.deepEqual(elementOf('Bundle', 'Bundle.entry.response.outcome').types, [{ code: 'Resource' }]);
});

test('every id of a resource is an id, and no element has a FHIRPath system type', (t) => {
  t.is(elementOf('Patient', 'Patient.id').types[0]?.code, 'id');
  const codes = [...structureDefinitions().values()].flatMap(({ elements }) =>
    elements.flatMap(({ types }) => types.map(({ code }) => code)),
  );
  t.false(codes.some((code) => code.includes('/')));
});

test('elements that demand a SimpleQuantity refuse a comparator', (t) => {
  const keys = elementOf('Range', 'Range.low').constraints.map(({ key }) => key);
  t.true(keys.includes('sqt-1'));
});
