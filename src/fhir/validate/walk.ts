import type { Resource } from '../../model/resource.js';
import type { CompactConstraint } from '../r4/compact.js';
import type { JsonObject } from './checks.js';
import { typeRules, type ElementRule, type ObjectRule, type PropertyRule } from './rules.js';

/** A value, the constraints on it and what they are evaluated with. */
export interface ConstrainedNode {
  readonly value: unknown;
  /** Like `Patient.contact[0]`. */
  readonly path: string;
  /** Type or element that the value is one of, for FHIRPath: `Patient.contact`, `Period`. */
  readonly base: string;
  readonly constraints: readonly CompactConstraint[];
  readonly frame: Frame;
}

/** FHIRPath's `%resource` and `%rootResource`: they differ for a contained resource. */
export interface Frame {
  readonly resource: JsonObject;
  readonly rootResource: JsonObject;
}

interface Place {
  readonly path: string;
  readonly type: string;
  readonly frame: Frame;
}

/** Every value of a structurally valid resource that has constraints, from the resource down. */
export function walkConstraints(resource: Resource): Generator<ConstrainedNode> {
  return walkResource(resource, resource.resourceType, undefined);
}

function* walkResource(
  resource: JsonObject,
  path: string,
  container: JsonObject | undefined,
): Generator<ConstrainedNode> {
  const type = resource['resourceType'] as string;
  const frame = { resource, rootResource: container ?? resource };
  yield* walkObject(resource, type, { path, type, frame });
}

function* walkObject(value: JsonObject, objectPath: string, place: Place): Generator<ConstrainedNode> {
  const rule = typeRules(place.type).objects.get(objectPath);
  if (!rule) return;
  const { constraints } = rule;
  if (constraints.length > 0) yield { ...place, value, base: objectPath, constraints };
  yield* walkElements(value, rule, place);
}

function* walkElements(value: JsonObject, rule: ObjectRule, place: Place): Generator<ConstrainedNode> {
  for (const element of rule.elements) {
    for (const property of element.properties) {
      const found = value[property.property];
      if (found === undefined) continue;
      const path = `${place.path}.${property.label}`;
      if (!Array.isArray(found)) yield* walkValue(found, { element, property }, { ...place, path });
      for (const [index, each] of Array.isArray(found) ? found.entries() : []) {
        yield* walkValue(each, { element, property }, { ...place, path: `${path}[${index}]` });
      }
    }
  }
}

function* walkValue(
  value: unknown,
  { element, property }: { readonly element: ElementRule; readonly property: PropertyRule },
  place: Place,
): Generator<ConstrainedNode> {
  const rule = property.value;
  const { constraints, name } = element;
  if (rule.kind === 'primitive' || rule.kind === 'xhtml') {
    if (constraints.length > 0) yield { ...place, value, base: element.path, constraints };
    return;
  }
  const object = value as JsonObject;
  if (rule.kind === 'backbone') {
    yield* walkObject(object, rule.path, place);
  } else if (rule.kind === 'resource') {
    yield* walkResource(object, place.path, name === 'contained' ? place.frame.rootResource : undefined);
  } else {
    const type = rule.kind === 'reference' ? 'Reference' : rule.type;
    if (constraints.length > 0) yield { ...place, value, base: type, constraints };
    yield* walkObject(object, type, { ...place, type });
  }
}
