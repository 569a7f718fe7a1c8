import { structureDefinitions } from '../definitions.js';
import type { CompactConstraint, CompactElement, ElementType } from '../r4/compact.js';
import { isPrimitive, type PrimitiveName } from './primitives.js';

/** What one JSON value of an element must be. */
export type ValueRule =
  | { readonly kind: 'primitive'; readonly name: PrimitiveName; readonly valueSet: string | undefined }
  | { readonly kind: 'xhtml' }
  | { readonly kind: 'datatype'; readonly type: string; readonly valueSet: string | undefined }
  | { readonly kind: 'reference'; readonly targets: readonly string[] | undefined }
  | { readonly kind: 'backbone'; readonly path: string }
  | { readonly kind: 'resource' };

/** One JSON property that an element may be written as: `valueQuantity`. */
export interface PropertyRule {
  readonly property: string;
  /** How a path names it: `value.ofType(Quantity)`. */
  readonly label: string;
  readonly value: ValueRule;
  /** Whether `_property` may carry an id and extensions. */
  readonly extensible: boolean;
}

/** One element of an object; a choice has several properties. */
export interface ElementRule {
  /** Without `[x]`. */
  readonly name: string;
  readonly path: string;
  readonly required: boolean;
  readonly many: boolean;
  readonly properties: readonly PropertyRule[];
  /** Those that the element adds to its datatype's; a backbone element's stand in its ObjectRule. */
  readonly constraints: readonly CompactConstraint[];
}

/** A type, or an element with elements of its own. */
export interface ObjectRule {
  readonly path: string;
  readonly elements: readonly ElementRule[];
  /** Of the type or backbone element. */
  readonly constraints: readonly CompactConstraint[];
}

/** The rules of a type: of the type itself, and of its backbone elements, by path. */
export interface TypeRules {
  readonly type: string;
  readonly kind: 'resource' | 'datatype';
  readonly objects: ReadonlyMap<string, ObjectRule>;
}

/** Invariants that are not evaluated, and why. */
export const NOT_EVALUATED: ReadonlyMap<string, string> = new Map([
  ['ele-1', 'checked by validateStructure'],
  ['ext-1', 'checked by validateStructure'],
  ['txt-1', 'checked by validateStructure'],
  ['txt-2', 'checked by validateStructure'],
  ['ctm-1', 'calls resolve(), which would read other resources'],
]);

const known = new Map<string, TypeRules>();

/** The rules of an R4 resource type or complex datatype, made on first use. Throws an Error if there is none. */
export function typeRules(type: string): TypeRules {
  const rules = known.get(type) ?? makeTypeRules(type);
  known.set(type, rules);
  return rules;
}

function makeTypeRules(type: string): TypeRules {
  const structure = structureDefinitions().get(type);
  if (!structure) throw new Error(`no definition of the type ${type}`);
  const byParent = groupByParent(structure.elements.slice(1));
  const constraints = new Map(structure.elements.map((element) => [element.path, toEvaluate(element)]));
  const objects = [...byParent].map(([path, elements]): ObjectRule => ({
    path,
    elements: elements.filter(({ max }) => max > 0).map((element) => elementRule(element, byParent)),
    constraints: constraints.get(path) ?? [],
  }));
  return {
    type,
    kind: structure.kind === 'resource' ? 'resource' : 'datatype',
    objects: new Map(objects.map((object) => [object.path, object])),
  };
}

function toEvaluate({ constraints }: CompactElement): readonly CompactConstraint[] {
  return constraints.filter(({ key, expression }) => expression !== '' && !NOT_EVALUATED.has(key));
}

function groupByParent(elements: readonly CompactElement[]): ReadonlyMap<string, readonly CompactElement[]> {
  const groups = new Map<string, CompactElement[]>();
  for (const element of elements) {
    const parent = element.path.slice(0, element.path.lastIndexOf('.'));
    const group = groups.get(parent);
    if (group) group.push(element);
    else groups.set(parent, [element]);
  }
  return groups;
}

function elementRule(element: CompactElement, parents: ReadonlyMap<string, unknown>): ElementRule {
  const { path, min, max, contentReference } = element;
  const last = path.slice(path.lastIndexOf('.') + 1);
  const choice = last.endsWith('[x]');
  const name = choice ? last.slice(0, -'[x]'.length) : last;
  const isBackbone = contentReference !== undefined || parents.has(path);
  const types: readonly ElementType[] = contentReference ? [{ code: 'BackboneElement' }] : element.types;
  const properties = types.map((type): PropertyRule => {
    const value = valueRule(element, type, parents);
    return {
      property: choice ? name + type.code.charAt(0).toUpperCase() + type.code.slice(1) : name,
      label: choice ? `${name}.ofType(${type.code})` : name,
      value,
      extensible: value.kind === 'primitive' && name !== 'id' && path !== 'Extension.url',
    };
  });
  return {
    name,
    path,
    required: min > 0,
    many: max > 1,
    properties,
    constraints: isBackbone ? [] : toEvaluate(element),
  };
}

function valueRule(
  element: CompactElement,
  type: ElementType,
  parents: ReadonlyMap<string, unknown>,
): ValueRule {
  const { path, contentReference, binding } = element;
  const valueSet = binding?.strength === 'required' ? binding.valueSet : undefined;
  if (contentReference) return { kind: 'backbone', path: contentReference };
  if (parents.has(path)) return { kind: 'backbone', path };
  if (isPrimitive(type.code)) return { kind: 'primitive', name: type.code, valueSet };
  if (type.code === 'xhtml') return { kind: 'xhtml' };
  if (type.code === 'Resource') return { kind: 'resource' };
  if (type.code === 'Reference') return { kind: 'reference', targets: type.targets };
  return { kind: 'datatype', type: type.code, valueSet };
}
