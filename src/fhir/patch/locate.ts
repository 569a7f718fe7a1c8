import { createRequire } from 'node:module';
import { FhirError } from '../../model/errors.js';
import type { Resource } from '../../model/resource.js';
import { childrenAt, placeOf, type ElementChild } from '../element-children.js';
import { isObject, memberAt, type Step } from './patched.js';

/** Where an element stands in the JSON of a resource. */
export interface Location {
  /** Steps to the object that has the element as a member. */
  readonly holder: readonly Step[];
  /** The place of that object's type, for `childrenAt`. */
  readonly place: string;
  /** JSON name of the member; undefined for the resource itself. */
  readonly name: string | undefined;
  /** Position in a list; undefined for an element that does not repeat. */
  readonly index: number | undefined;
  /** Steps to the object that holds the element's own children (of a primitive: its id and extensions). */
  readonly self: readonly Step[];
  readonly selfPlace: string;
}

const MAX_PATH_LENGTH = 1000;

/**
 * What may stand before a parenthesis: operators, and functions none of which costs more than a walk over the
 * resource, as those with regular expressions do.
 */
const CALLABLE: ReadonlySet<string> = new Set(
  (
    'all allTrue and anyTrue as contains count empty endsWith exists extension first hasValue implies in is last ' +
    'length lower not ofType or single skip startsWith tail take toString upper where xor'
  ).split(' '),
);

/** Variables, comments and the like, which could hide a call. */
const REFUSED = /%\w{0,40}|__proto__|\/[/*]|"/;

type FhirPath = typeof import('fhirpath');

/** Loaded when the first patch comes: it takes some 60 ms. */
export function loadFhirPath(): {
  readonly engine: FhirPath;
  readonly model: Parameters<FhirPath['evaluate']>[3];
} {
  const require = createRequire(import.meta.url);
  return { engine: require('fhirpath'), model: require('fhirpath/fhir-context/r4') };
}

/** The elements that the FHIRPath finds. Throws INVALID_REQUEST if it is no path, or calls what a patch may not. */
export function locateAll(resource: Resource, path: string): Location[] {
  assertAllowed(path);
  return evaluate(resource, path).map((node) => toLocation(resource, node, path));
}

function assertAllowed(path: string): void {
  if (path.length > MAX_PATH_LENGTH) {
    throw new FhirError('INVALID_REQUEST', `A path has more than ${MAX_PATH_LENGTH} characters.`);
  }
  const code = withoutLiterals(path);
  const called = [...code.matchAll(/\b(\w+)\s*\(/g)].map(([, name = '']) => name);
  const refused = called.find((name) => !CALLABLE.has(name)) ?? REFUSED.exec(code)?.[0];
  if (refused !== undefined) throw new FhirError('INVALID_REQUEST', `A path may not use ${refused}.`);
}

/** Empties strings and unwraps delimited identifiers, in one pass, so that neither can hide the other's quotes. */
function withoutLiterals(path: string): string {
  return path.replaceAll(/'(?:[^'\\]|\\.)*(?:'|\\?$)|`[^`]*(?:`|$)/gs, (literal) =>
    literal.startsWith("'") ? "''" : literal.slice(1, -1).replaceAll(/\W/g, '%'),
  );
}

function evaluate(resource: Resource, path: string): unknown[] {
  const { engine, model } = loadFhirPath();
  try {
    return engine.evaluate(resource, path, {}, model, { resolveInternalTypes: false });
  } catch (cause) {
    throw new FhirError('INVALID_REQUEST', `The path ${JSON.stringify(path)} cannot be evaluated.`, {
      cause,
    });
  }
}

/** The engine says where a node is: `Patient.name[0].given[1]`, a choice without its type. */
function toLocation(resource: Resource, node: unknown, path: string): Location {
  const full =
    isObject(node) && typeof node.fullPropertyName === 'function' ? String(node.fullPropertyName()) : '';
  const steps = full.split('.').map((step) => /^(\w+)(?:\[(\d+)\])?$/.exec(step));
  if (steps[0]?.[1] !== resource.resourceType || steps.includes(null)) {
    throw new FhirError('INVALID_REQUEST', `The path ${JSON.stringify(path)} leads to no element.`);
  }
  return steps
    .slice(1)
    .reduce<Location>((at, step) => below(resource, at, step![1]!, step![2]), rootOf(resource));
}

function rootOf({ resourceType }: Resource): Location {
  return {
    holder: [],
    place: resourceType,
    name: undefined,
    index: undefined,
    self: [],
    selfPlace: resourceType,
  };
}

function below(resource: Resource, parent: Location, property: string, index: string | undefined): Location {
  const holder = valueAt(resource, parent.self);
  const name = presentName(holder, parent.selfPlace, property);
  const child = childrenAt(parent.selfPlace).get(name);
  const position = index === undefined ? [] : [Number(index)];
  const value = valueAt(resource, [...parent.self, name, ...position]);
  const isComplex = isObject(value);
  return {
    holder: parent.self,
    place: parent.selfPlace,
    name,
    index: position[0],
    self: [...parent.self, isComplex || !isPrimitive(child) ? name : `_${name}`, ...position],
    selfPlace: child ? (isPrimitive(child) ? 'Element' : placeOf(child, value)) : property,
  };
}

function isPrimitive(child: ElementChild | undefined): boolean {
  return child !== undefined && /^[a-z]/.test(child.type);
}

/** The JSON name under which the object has the element: for a choice, with the type that it has there. */
function presentName(holder: unknown, place: string, property: string): string {
  const isPresent = (name: string) =>
    memberAt(holder, name) !== undefined || memberAt(holder, `_${name}`) !== undefined;
  if (isPresent(property)) return property;
  return choiceNames(place, property).find(isPresent) ?? property;
}

/** The JSON names of a choice: `deceasedBoolean`, `deceasedDateTime` of `deceased`. */
export function choiceNames(place: string, property: string): string[] {
  return [...childrenAt(place).values()]
    .filter(({ element }) => element.path.endsWith(`.${property}[x]`))
    .map(({ name }) => name);
}

/** The value that the steps lead to. */
export function valueAt(root: unknown, steps: readonly Step[]): unknown {
  return steps.reduce(memberAt, root);
}
