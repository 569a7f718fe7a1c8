import type { Coding, Resource } from '../model/resource.js';
import { childrenAt, placeOf, type ElementChild } from './element-children.js';
import { copyNumberTexts } from './json/number-texts.js';

/** How much of each resource a client asks for; `count` has no resources (https://hl7.org/fhir/R4/search.html#summary). */
export type SummaryMode = 'true' | 'text' | 'data' | 'false';

/** Says that a resource is not whole (http://terminology.hl7.org/CodeSystem/v3-ObservationValue). */
export const SUBSETTED: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
};

/** The resource as `_summary` asks for it, tagged SUBSETTED; itself for `false`. */
export function summarizeResource(resource: Resource, mode: SummaryMode): Resource {
  switch (mode) {
    case 'true':
      return subsetted(keepMembers(resource, resource.resourceType, isInSummary));
    case 'text':
      return subsetted(keepTopLevel(resource, (name, child) => name === 'text' || isMandatory(child)));
    case 'data':
      return subsetted(keepTopLevel(resource, (name) => name !== 'text'));
    case 'false':
      return resource;
    default:
      return mode satisfies never;
  }
}

/**
 * The resource with the elements that `_elements` names, and the mandatory ones, at every level that a name goes
 * down to: `name`, `name.family`, `Patient.name`, `value` or `valueQuantity` for a choice. A name that begins with
 * another resource type says nothing about this one. Tagged SUBSETTED.
 */
export function selectElements(resource: Resource, names: readonly string[]): Resource {
  const selection = toSelection(resource.resourceType, names);
  return subsetted(keepSelected(resource, resource.resourceType, selection));
}

/** Names to what is selected below them; an empty map selects everything. */
type Selection = Map<string, Selection>;

/** Kept whatever is named: they say what the resource is, or change the meaning of the rest. */
const ALWAYS_SELECTED = ['id', 'meta', 'implicitRules', 'modifierExtension'];

function toSelection(type: string, names: readonly string[]): Selection {
  const root: Selection = new Map();
  const paths = names
    .map((name) => name.split('.'))
    .filter(([first = '']) => !/^[A-Z]/.test(first) || first === type);
  const below = paths.map((steps) => (steps[0] === type ? steps.slice(1) : steps));
  for (const steps of below.toSorted((one, other) => one.length - other.length)) select(root, steps);
  for (const name of ALWAYS_SELECTED) root.set(name, new Map());
  return root;
}

/** Shorter names come first: what is below a name that is selected as a whole adds nothing. */
function select(parent: Selection, [step, ...steps]: readonly string[]): void {
  if (step === undefined) return;
  const known = parent.get(step);
  if (known?.size === 0) return;
  const below: Selection = known ?? new Map();
  parent.set(step, below);
  select(below, steps);
}

function keepSelected<Holder extends object>(holder: Holder, place: string, selection: Selection): Holder {
  const children = childrenAt(place);
  return keep(holder, (name, value) => {
    if (name === 'resourceType') return value;
    const plain = plainName(name);
    const child = children.get(plain);
    const below = selection.get(plain) ?? selection.get(propertyName(plain, child));
    if (below === undefined) return isMandatory(child) ? value : undefined;
    if (below.size === 0 || !child || name.startsWith('_')) return value;
    return mapObjects(value, (item) => keepSelected(item, placeOf(child, item), below));
  });
}

function keepTopLevel(
  resource: Resource,
  isKept: (name: string, child: ElementChild | undefined) => boolean,
): Resource {
  const children = childrenAt(resource.resourceType);
  return keep(resource, (name, value) =>
    ['resourceType', 'id', 'meta'].includes(name) || isKept(plainName(name), children.get(plainName(name)))
      ? value
      : undefined,
  );
}

function isInSummary({ element }: ElementChild): boolean {
  return element.isSummary === true || element.isModifier === true || element.min > 0;
}

function isMandatory(child: ElementChild | undefined): boolean {
  return child !== undefined && child.element.min > 0;
}

/** Keeps members at every level. Extensions stay whole: part of one would mean something else. */
function keepMembers<Holder extends object>(
  holder: Holder,
  place: string,
  isKept: (child: ElementChild) => boolean,
): Holder {
  if (place === 'Extension') return holder;
  const children = childrenAt(place);
  return keep(holder, (name, value) => {
    if (name === 'resourceType' || (name === 'id' && place === holderType(holder))) return value;
    const child = children.get(plainName(name));
    if (!child || !isKept(child)) return undefined;
    return name.startsWith('_')
      ? value
      : mapObjects(value, (item) => keepMembers(item, placeOf(child, item), isKept));
  });
}

function holderType(holder: object): unknown {
  return (holder as { resourceType?: unknown }).resourceType;
}

/** A copy with the members that `change` gives a value for; number texts stay. */
function keep<Holder extends object>(
  holder: Holder,
  change: (name: string, value: unknown) => unknown,
): Holder {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(holder)) {
    const changed = change(name, value);
    if (changed !== undefined) kept[name] = changed;
  }
  return copyNumberTexts(holder, kept) as Holder;
}

function mapObjects(value: unknown, change: (item: object) => object): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => mapObjects(item, change));
  return typeof value === 'object' && value !== null ? change(value) : value;
}

/** `birthDate` of `_birthDate`. */
function plainName(name: string): string {
  return name.startsWith('_') ? name.slice(1) : name;
}

/** `value` of `Observation.value[x]`; the name itself of what is no choice. */
function propertyName(name: string, child: ElementChild | undefined): string {
  const last = child?.element.path.split('.').at(-1);
  return last?.endsWith('[x]') ? last.slice(0, -3) : name;
}

/** The resource with the tag SUBSETTED, `meta` after `id`. */
function subsetted(resource: Resource): Resource {
  const { resourceType, id, meta = {}, ...elements } = resource;
  const tags = meta.tag ?? [];
  const isTagged = tags.some(({ system, code }) => system === SUBSETTED.system && code === SUBSETTED.code);
  return {
    resourceType,
    ...(id === undefined ? {} : { id }),
    meta: isTagged ? meta : { ...meta, tag: [...tags, SUBSETTED] },
    ...elements,
  };
}
