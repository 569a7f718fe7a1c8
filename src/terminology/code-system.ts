import type { Resource } from '../model/resource.js';
import { isPart, partsOf, textOf, type JsonPart } from './json-parts.js';
import type { Supplemented } from './supplement.js';

/** How much of a code system is there: https://hl7.org/fhir/R4/valueset-codesystem-content-mode.html */
export type CodeSystemContent = 'complete' | 'fragment' | 'example' | 'not-present' | 'supplement';

/** Another name of a concept. */
export interface Designation {
  readonly language: string | undefined;
  /** A Coding, as it was given. */
  readonly use: JsonPart | undefined;
  readonly value: string;
}

/** A property of a concept. `kind` is the type that its element's name ends with: `Code`, `String`, `Boolean`, … */
export interface ConceptProperty {
  readonly code: string;
  readonly kind: string;
  readonly value: unknown;
}

/** One concept. Its parents and children are codes of the same system. */
export interface Concept {
  readonly code: string;
  readonly display: string | undefined;
  readonly definition: string | undefined;
  readonly designations: readonly Designation[];
  readonly properties: readonly ConceptProperty[];
  readonly parents: ReadonlySet<string>;
  readonly children: ReadonlySet<string>;
  /** Not in use any more. */
  readonly inactive: boolean;
  /** For navigation only: no resource should be coded with it. */
  readonly abstract: boolean;
  /** What supplements say of it besides. */
  readonly supplemented?: Supplemented;
}

/** A code system (https://hl7.org/fhir/R4/codesystem.html) ready for questions. */
export interface CodeSystem {
  readonly url: string;
  readonly version: string | undefined;
  readonly name: string | undefined;
  readonly content: CodeSystemContent;
  /** Codes of properties that concepts may be filtered by. */
  readonly propertyCodes: ReadonlySet<string>;
  /** Canonicals of the supplements that are in it; left out where there are none. */
  readonly supplements?: readonly string[];
  /** In the order of the definition. */
  readonly concepts: ReadonlyMap<string, Concept>;
  /** As `concepts.get`, and where the system says that case does not matter, in any case. */
  readonly find: (code: string) => Concept | undefined;
}

/** While the hierarchy is put together. Most concepts have nobody below them: those share one empty set. */
interface OpenConcept extends Concept {
  parents: Set<string>;
  children: Set<string>;
}

const NOBODY: Set<string> = new Set();

type Roles = ReadonlyMap<string, string>;

const CONTENTS: ReadonlySet<string> = new Set([
  'complete',
  'fragment',
  'example',
  'not-present',
  'supplement',
]);
const STANDARD_PROPERTIES = 'http://hl7.org/fhir/concept-properties#';
const PARENT_PROPERTIES: ReadonlySet<string> = new Set(['parent', 'subsumedBy']);
const RETIRED: ReadonlySet<unknown> = new Set(['retired', 'inactive']);

/** Reads a CodeSystem resource. Its hierarchy is the nesting of concepts, and their `parent`, `subsumedBy` and `child`. */
export function toCodeSystem(resource: Resource): CodeSystem {
  const declared = partsOf(resource['property']);
  const concepts = new Map<string, OpenConcept>();
  const roles = rolesOf(declared);
  addConcepts(concepts, partsOf(resource['concept']), { roles, parent: undefined });
  linkByProperties(concepts, roles);
  return {
    url: textOf(resource['url']) ?? '',
    version: textOf(resource['version']),
    name: textOf(resource['title']) ?? textOf(resource['name']),
    content: contentOf(resource),
    propertyCodes: new Set(declared.flatMap(({ code }) => textOf(code) ?? [])),
    concepts,
    find: resource['caseSensitive'] === false ? inAnyCase(concepts) : (code) => concepts.get(code),
  };
}

/** The concept and all below it, each once. */
export function descendants(system: CodeSystem, concept: Concept): ReadonlySet<string> {
  return closure(system, concept, (one) => one.children);
}

/** The concept and all above it, each once. */
export function ancestors(system: CodeSystem, concept: Concept): ReadonlySet<string> {
  return closure(system, concept, (one) => one.parents);
}

/** Hierarchies by property may run in circles: every concept is gone to once. */
function closure(
  { concepts }: CodeSystem,
  start: Concept,
  next: (concept: Concept) => ReadonlySet<string>,
): ReadonlySet<string> {
  const seen = new Set([start.code]);
  for (const code of seen) {
    const concept = concepts.get(code);
    for (const other of concept ? next(concept) : []) seen.add(other);
  }
  return seen;
}

/** Without a statement nothing is promised of what is not listed. */
function contentOf({ content }: Resource): CodeSystemContent {
  return typeof content === 'string' && CONTENTS.has(content) ? (content as CodeSystemContent) : 'fragment';
}

/** Properties that mean something here, by code: the standard ones may have another code of their own. */
function rolesOf(declared: readonly JsonPart[]): Roles {
  const roles = new Map(
    ['parent', 'subsumedBy', 'child', 'inactive', 'status', 'notSelectable', 'abstract'].map((code) => [
      code,
      code,
    ]),
  );
  for (const { code, uri } of declared) {
    if (textOf(code) && textOf(uri)?.startsWith(STANDARD_PROPERTIES))
      roles.set(code as string, (uri as string).slice(STANDARD_PROPERTIES.length));
  }
  return roles;
}

interface Nesting {
  readonly roles: Roles;
  readonly parent: OpenConcept | undefined;
}

function addConcepts(concepts: Map<string, OpenConcept>, list: readonly JsonPart[], nesting: Nesting): void {
  for (const part of list) {
    const code = textOf(part['code']);
    if (code === undefined) continue;
    const concept = concepts.get(code) ?? toConcept(part, code, nesting.roles);
    concepts.set(code, concept);
    if (nesting.parent) link(nesting.parent, concept);
    addConcepts(concepts, partsOf(part['concept']), { ...nesting, parent: concept });
  }
}

function toConcept(part: JsonPart, code: string, roles: Roles): OpenConcept {
  const properties = partsOf(part['property']).flatMap(toProperty);
  const has = (role: string, isMeant: (value: unknown) => boolean): boolean =>
    properties.some((property) => roles.get(property.code) === role && isMeant(property.value));
  return {
    code,
    display: textOf(part['display']),
    definition: textOf(part['definition']),
    designations: toDesignations(part['designation']),
    properties,
    parents: NOBODY,
    children: NOBODY,
    inactive: has('inactive', isTrue) || has('status', (value) => RETIRED.has(value)),
    abstract: has('notSelectable', isTrue) || has('abstract', isTrue),
  };
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function toProperty(part: JsonPart): ConceptProperty[] {
  const code = textOf(part['code']);
  const [name, value] = Object.entries(part).find(([key]) => key.startsWith('value')) ?? [];
  if (code === undefined || name === undefined) return [];
  return [{ code, kind: name.slice('value'.length), value }];
}

/** `designation` of a concept, of a code system or of a value set. */
export function toDesignations(list: unknown): readonly Designation[] {
  return partsOf(list).flatMap(({ language, use, value }) => {
    const text = textOf(value);
    if (text === undefined) return [];
    return [{ language: textOf(language), use: isPart(use) ? use : undefined, value: text }];
  });
}

function linkByProperties(concepts: ReadonlyMap<string, OpenConcept>, roles: Roles): void {
  for (const concept of concepts.values()) {
    for (const { code, value } of concept.properties) {
      const role = roles.get(code) ?? '';
      const other = typeof value === 'string' ? concepts.get(value) : undefined;
      if (other && PARENT_PROPERTIES.has(role)) link(other, concept);
      if (other && role === 'child') link(concept, other);
    }
  }
}

function link(parent: OpenConcept, child: OpenConcept): void {
  if (parent === child) return;
  if (parent.children === NOBODY) parent.children = new Set();
  if (child.parents === NOBODY) child.parents = new Set();
  parent.children.add(child.code);
  child.parents.add(parent.code);
}

function inAnyCase(concepts: ReadonlyMap<string, Concept>): CodeSystem['find'] {
  const lower = new Map([...concepts.values()].map((concept) => [concept.code.toLowerCase(), concept]));
  return (code) => concepts.get(code) ?? lower.get(code.toLowerCase());
}
