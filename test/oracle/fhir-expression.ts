import { createRequire } from 'node:module';
import type { FhirResource } from 'fhir/r4.js';

/** What an expression found in a resource. */
export interface FoundValue {
  readonly value: unknown;
  /** FHIR type: `CodeableConcept`, `code`; FHIRPath's own for computed values: `Boolean`. */
  readonly type: string;
  /** The element it is the value of: `Patient.contact.gender`; empty for computed values and whole resources. */
  readonly element: string;
  /** The path that its own elements begin with: `Observation.component`, `HumanName`. */
  readonly path: string;
}

/** A node as fhirpath.js has it inside. */
interface Node {
  readonly data: unknown;
  readonly path: string | null;
  readonly propName: string | null;
  readonly parentResNode: Node | null;
  getTypeInfo(): { readonly name: string };
}

interface Library {
  compile(
    expression: string | { readonly base: string; readonly expression: string },
    model: unknown,
    options: object,
  ): (data: unknown, environment?: object) => unknown;
}

const require = createRequire(import.meta.url);
const library = require('fhirpath') as Library;
const model = require('fhirpath/fhir-context/r4') as unknown;

/** Types that fhirpath.js knows by other names than expressions of search parameters use. */
const TYPE_NAMES: Readonly<Record<string, string>> = { DateTime: 'dateTime', Date: 'date' };

/**
 * The expression as fhirpath.js evaluates it without a server: what a reference leads to is read off the
 * reference, and `as` selects from several values, as search parameters mean it.
 */
function rewrite(expression: string): string {
  return expression
    .replaceAll(/resolve\(\) is (\w+)/g, "refersTo('$1')")
    .replaceAll(/\.as\((\w+)\)/g, (_, type: string) => `.ofType(${TYPE_NAMES[type] ?? type})`)
    .replaceAll(/([\w.]+) as (\w+)/g, (_, path: string, type: string) => `${path}.ofType(${type})`);
}

/**
 * The parts of a union. FHIRPath keeps one of two values that are equal, such as 1 g and 1000 mg, of which searches
 * may ask for either.
 */
export function unionParts(expression: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const sign of expression) {
    if (sign === '(') depth++;
    if (sign === ')') depth--;
    if (sign === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += sign;
  }
  return parts.map((part) => part.trim());
}

type Evaluate = (data: unknown, resource: FhirResource) => readonly FoundValue[];

const compiled = new Map<string, Evaluate>();

/** The values that an expression finds in a resource. */
export function evaluateOn(resource: FhirResource, expression: string): readonly FoundValue[] {
  return unionParts(expression).flatMap((part) => evaluatorOf('', part)(resource, resource));
}

/** The values that an expression finds from an element on; `%resource` is the whole resource. */
export function evaluateWithin(
  resource: FhirResource,
  { value, path }: FoundValue,
  expression: string,
): readonly FoundValue[] {
  const base = path === resource.resourceType ? '' : path;
  return unionParts(expression).flatMap((part) => evaluatorOf(base, part)(value, resource));
}

function evaluatorOf(base: string, expression: string): Evaluate {
  const key = `${base} ${expression}`;
  const made = compiled.get(key) ?? compile(base, expression);
  compiled.set(key, made);
  return made;
}

function compile(base: string, text: string): Evaluate {
  const found: unknown[] = [];
  const options = {
    traceFn: () => undefined,
    userInvocationTable: {
      keep: {
        fn: (nodes: readonly unknown[]) => {
          found.push(...nodes);
          return [];
        },
        arity: { 0: [] },
        internalStructures: true,
      },
      refersTo: {
        fn: (nodes: readonly Node[], type: string) => nodes.map((node) => leadsTo(node, type)),
        arity: { 1: ['String'] },
        internalStructures: true,
      },
    },
  };
  const expression = `(${rewrite(text)}).keep()`;
  const run = library.compile(base === '' ? expression : { base, expression }, model, options);
  return (data, resource) => {
    found.length = 0;
    run(data, { resource });
    return found.map(toFound);
  };
}

/** https://hl7.org/fhir/R4/references.html#literal: the type stands before the id. */
function leadsTo({ data }: Node, type: string): boolean {
  const reference = (data as { readonly reference?: unknown }).reference;
  return typeof reference === 'string' && new RegExp(`(^|/)${type}/[^/]+(/_history/[^/]+)?$`).test(reference);
}

function toFound(node: unknown): FoundValue {
  if (!isNode(node)) return { value: node, type: 'Boolean', element: '', path: '' };
  const { data, path, parentResNode, propName } = node;
  const isNumber = typeof data === 'object' && data !== null && 'toNumber' in data;
  return {
    value: isNumber ? Number(String(data)) : data,
    type: node.getTypeInfo().name,
    element: parentResNode === null ? '' : `${parentResNode.path}.${propName}`,
    path: path ?? '',
  };
}

function isNode(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && 'getTypeInfo' in node;
}
