import { isResourceType } from './definitions.js';
import { childrenAt, type ElementChild } from './element-children.js';
import { RESOURCE_TYPES } from './r4/resource-types.js';

/** Types of resources; undefined: all there are. */
type Types = readonly string[] | undefined;

/** Why `_elements` does not go with `_summary`: each says which elements come. */
export const ELEMENTS_BESIDE_SUMMARY = '_elements means nothing beside _summary; send one of them.';

const NAME = /^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$/;
const MOST_TOLD = 5;

/** The names that a value of `_elements` lists; undefined where it is no such list. */
export function elementNames(value: string): readonly string[] | undefined {
  const names = value.split(',').map((name) => name.trim());
  return names.every((name) => NAME.test(name)) ? names : undefined;
}

/** Longer names lead nowhere: no definition is as deep. */
const MOST_STEPS = 20;

/**
 * Those of the names in `_elements` that lead to nothing in resources of these types: `name`, `name.family`,
 * `Patient.name`; `value` or `valueQuantity` for a choice.
 */
export function unknownElements(names: readonly string[], types: Types): readonly string[] {
  return names.filter((name) => !isKnown(name.split('.'), types));
}

/** Says of names that they lead to nothing. */
export function describeUnknown(names: readonly string[], types: Types): string {
  const told = names.slice(0, MOST_TOLD).map((name) => `"${name.slice(0, 80)}"`);
  const more = names.length > MOST_TOLD ? ' and others' : '';
  const of = types?.length === 1 ? `of ${types[0]}` : 'of any type that may come';
  return `no element ${of}: ${told.join(', ')}${more}.`;
}

function isKnown(steps: readonly string[], types: Types): boolean {
  const [first = '', ...rest] = steps;
  if (steps.length > MOST_STEPS) return false;
  if (!isResourceType(first)) return (types ?? typesWith(first)).some((type) => hasElement(type, steps));
  return (types === undefined || types.includes(first)) && hasElement(first, rest);
}

/** Whether the steps lead to an element of what stands at a place; `value` is `value[x]`. */
export function hasElement(place: string, steps: readonly string[]): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return false;
  const found = childrenOf(place, step);
  return rest.length === 0 ? found.length > 0 : found.some((child) => leadsTo(child, rest));
}

/** Any resource may stand where the definition says no more than that it is one. */
function leadsTo({ type, place }: ElementChild, steps: readonly string[]): boolean {
  return type === 'Resource' || hasElement(place, steps);
}

function childrenOf(place: string, step: string): readonly ElementChild[] {
  const children = childrenAt(place);
  const child = children.get(step);
  if (child) return [child];
  return [...children.values()].filter(({ element }) => element.path.endsWith(`.${step}[x]`));
}

let byRoot: ReadonlyMap<string, readonly string[]> | undefined;

/** Names come from clients by the thousand: most are told from elements by one look-up. */
function typesWith(root: string): readonly string[] {
  byRoot ??= rootsOfAll();
  return byRoot.get(root) ?? [];
}

function rootsOfAll(): ReadonlyMap<string, readonly string[]> {
  const roots = new Map<string, string[]>();
  for (const type of RESOURCE_TYPES) {
    for (const name of rootNames(type)) {
      const known = roots.get(name);
      if (known) known.push(type);
      else roots.set(name, [type]);
    }
  }
  return roots;
}

function rootNames(type: string): ReadonlySet<string> {
  const children = [...childrenAt(type).values()];
  const choices = children.map(({ element }) => element.path.slice(type.length + 1).replace('[x]', ''));
  return new Set([...children.map(({ name }) => name), ...choices]);
}
