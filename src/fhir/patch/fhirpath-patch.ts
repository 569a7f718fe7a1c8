import { FhirError } from '../../model/errors.js';
import type { Resource } from '../../model/resource.js';
import { childrenAt, type ElementChild } from '../element-children.js';
import { numberText, withMember, withoutMember } from '../json/number-texts.js';
import { choiceNames, locateAll, valueAt, type Location } from './locate.js';
import {
  parsePatchOperations,
  type Item,
  type NamedValue,
  type PatchOperation,
  type PatchValue,
} from './patch-operations.js';
import { changeAt, finishPatch, isObject, memberAt } from './patched.js';

/**
 * Applies a FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html), a Parameters resource as `parseJson` gave it.
 * Returns a new resource that shares what was not touched. A delete that finds nothing is no error.
 *
 * Throws INVALID_REQUEST if the patch is malformed or a path is no FHIRPath, INVALID_RESOURCE if an operation does
 * not fit the resource, or `resourceType` or `id` would change.
 */
export function applyFhirPathPatch(resource: Resource, parameters: unknown): Resource {
  const patched = parsePatchOperations(parameters).reduce(applyOne, resource);
  return finishPatch(resource, patched, parameters as object);
}

function applyOne(resource: Resource, operation: PatchOperation): Resource {
  switch (operation.type) {
    case 'add':
      return add(resource, operation);
    case 'insert':
      return insert(resource, operation);
    case 'delete':
      return remove(resource, operation.path);
    case 'replace':
      return replace(resource, operation);
    case 'move':
      return move(resource, operation);
    default:
      return operation satisfies never;
  }
}

type OperationOf<Type extends PatchOperation['type']> = Extract<PatchOperation, { type: Type }>;

function add(resource: Resource, { path, name, value }: OperationOf<'add'>): Resource {
  const { self, selfPlace } = locateOne(resource, path);
  const child = childFor(selfPlace, name, value);
  return changeObject(resource, self, (holder) => {
    const items = itemsOf(holder, child.name);
    if (!isList(child)) {
      const names = [child.name, ...choiceNames(selfPlace, name)];
      if (names.some((other) => itemsOf(holder, other).length > 0))
        throw failed(path, `${name} is there already`);
    }
    return withItems(holder, child, [...items, buildItem(value, child)]);
  });
}

function insert(resource: Resource, { path, index, value }: OperationOf<'insert'>): Resource {
  const { holder: steps, child } = locateList(resource, path);
  return changeObject(resource, steps, (holder) => {
    const items = itemsOf(holder, child.name);
    if (index > items.length)
      throw failed(path, `the list has ${items.length} items, so ${index} is no place in it`);
    return withItems(holder, child, items.toSpliced(index, 0, buildItem(value, child)));
  });
}

function remove(resource: Resource, path: string): Resource {
  const [found, ...others] = locateAll(resource, path);
  if (!found) return resource;
  if (others.length > 0) throw failed(path, `it finds ${others.length + 1} elements; a delete takes one`);
  const child = childOf(found, path);
  return changeObject(resource, found.holder, (holder) =>
    withItems(holder, child, itemsOf(holder, child.name).toSpliced(found.index ?? 0, 1)),
  );
}

function replace(resource: Resource, { path, value }: OperationOf<'replace'>): Resource {
  const found = locateOne(resource, path);
  const old = childOf(found, path);
  const child = childFor(found.place, old.element.path.split('.').at(-1)!.replace('[x]', ''), value);
  return changeObject(resource, found.holder, (holder) => {
    const items = itemsOf(holder, old.name).with(found.index ?? 0, buildItem(value, child));
    return withItems(old.name === child.name ? holder : withItems(holder, old, []), child, items);
  });
}

function move(resource: Resource, { path, source, destination }: OperationOf<'move'>): Resource {
  const { holder: steps, child } = locateList(resource, path);
  return changeObject(resource, steps, (holder) => {
    const items = itemsOf(holder, child.name);
    const moved = items[source];
    if (!moved || destination >= items.length) throw failed(path, `the list has ${items.length} items only`);
    return withItems(holder, child, items.toSpliced(source, 1).toSpliced(destination, 0, moved));
  });
}

function locateOne(resource: Resource, path: string): Location {
  const [found, ...others] = locateAll(resource, path);
  if (!found) throw failed(path, 'it finds no element');
  if (others.length > 0) throw failed(path, `it finds ${others.length + 1} elements, and one is asked for`);
  return found;
}

interface ListLocation {
  readonly holder: Location['holder'];
  readonly child: ElementChild;
}

/** A list by the path of its items; one that has none yet, by the path of what would have it. */
function locateList(resource: Resource, path: string): ListLocation {
  const [found, ...others] = locateAll(resource, path);
  const list = found
    ? { holder: found.holder, child: childOf(found, path) }
    : locateEmptyList(resource, path);
  const isElsewhere = ({ name, holder }: Location) =>
    name !== found?.name || String(holder) !== String(found?.holder);
  if (others.some(isElsewhere)) throw failed(path, 'it finds more than one list');
  if (!isList(list.child)) throw failed(path, 'the element is no list');
  return list;
}

function locateEmptyList(resource: Resource, path: string): ListLocation {
  const [, parent, name] = /^(.+)\.(\w+)$/s.exec(path) ?? [];
  if (parent === undefined || name === undefined) throw failed(path, 'it finds no list');
  const { self, selfPlace } = locateOne(resource, parent);
  const child = childrenAt(selfPlace).get(name);
  if (!child) throw failed(path, `there is no element ${name}`);
  return { holder: self, child };
}

function childOf({ place, name }: Location, path: string): ElementChild {
  const child = name === undefined ? undefined : childrenAt(place).get(name);
  if (!child) throw failed(path, 'the resource as a whole, and elements unknown to FHIR, cannot be patched');
  return child;
}

/** The element of the name, or the choice that the value's type makes of it. */
function childFor(place: string, name: string, value: PatchValue): ElementChild {
  const children = childrenAt(place);
  const property = name.replace(/\[x\]$/, '');
  const type = value.kind === 'typed' ? value.type : '';
  const child = children.get(property) ?? children.get(`${property}${type}`);
  if (child) return child;
  throw new FhirError(
    'INVALID_RESOURCE',
    `${place} has no element ${property}${type && ` of type ${type}`}.`,
    {
      expression: [place],
    },
  );
}

function isList({ element }: ElementChild): boolean {
  return element.max > 1;
}

function buildItem(value: PatchValue, child: ElementChild): Item {
  if (value.kind === 'typed') return value.item;
  return {
    value: value.parts.reduce((holder, part) => addPart(holder, part, child.place), {}),
    twin: undefined,
  };
}

function addPart(holder: object, { name, value }: NamedValue, place: string): object {
  const child = childFor(place, name, value);
  return withItems(holder, child, [
    ...(isList(child) ? itemsOf(holder, child.name) : []),
    buildItem(value, child),
  ]);
}

/** The values of a member, with what stands beside them under its name with an underscore. */
function itemsOf(holder: object, name: string): Item[] {
  const value = memberAt(holder, name);
  const twin = memberAt(holder, `_${name}`);
  if (Array.isArray(value) || Array.isArray(twin)) {
    const length = Math.max(lengthOf(value), lengthOf(twin));
    return Array.from({ length }, (_, index) => ({
      value: memberAt(value, index),
      twin: memberAt(twin, index),
    }));
  }
  return value === undefined && twin === undefined ? [] : [{ value, twin, text: numberText(holder, name) }];
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function withItems<Holder extends object>(
  holder: Holder,
  child: ElementChild,
  items: readonly Item[],
): Holder {
  const values = items.map(({ value }) => value ?? null);
  const twins = items.map(({ twin }) => twin ?? null);
  const valued = setValues(holder, child, { name: child.name, values, text: items[0]?.text });
  return setValues(valued, child, { name: `_${child.name}`, values: twins, text: undefined });
}

function setValues<Holder extends object>(
  holder: Holder,
  child: ElementChild,
  { name, values, text }: { name: string; values: readonly unknown[]; text: string | undefined },
): Holder {
  if (values.every((value) => value === null))
    return Object.hasOwn(holder, name) ? withoutMember(holder, name) : holder;
  return isList(child) ? withMember(holder, name, values) : withMember(holder, name, values[0], text);
}

/** Changes the object that the steps lead to; what holds the extensions of a primitive is made where it is missing. */
function changeObject(
  resource: Resource,
  steps: Location['holder'],
  change: (holder: object) => object,
): Resource {
  const base = typeof steps.at(-1) === 'number' ? withTwins(resource, steps.slice(0, -1)) : resource;
  return changeAt(base, steps, (holder) => change(isObject(holder) ? holder : {})) as Resource;
}

/** With a list of what stands beside primitives as long as the list of these, if the steps lead to such a list. */
function withTwins(resource: Resource, list: Location['holder']): Resource {
  const name = String(list.at(-1));
  if (!name.startsWith('_')) return resource;
  const length = lengthOf(valueAt(resource, [...list.slice(0, -1), name.slice(1)]));
  const twins = (found: unknown) => Array.from({ length }, (_, index) => memberAt(found, index) ?? null);
  return changeAt(resource, list, twins) as Resource;
}

function failed(path: string, why: string): FhirError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new FhirError('INVALID_RESOURCE', `The patch cannot be applied at ${shown}: ${why}.`, {
    expression: [path],
  });
}
