import {
  CONTAINED_ELEMENT,
  CONTAINED_SELF,
  containedPath,
  innerReferredPath,
  referredPath,
} from '../../fhir/extract/contained-paths.js';
import type {
  ChainCondition,
  ComponentCondition,
  Condition,
  ContainedCondition,
  ElementCondition,
  IndexCondition,
  TypedPaths,
} from '../search-store.js';
import { toPartReferenceRow, toPartTargetRow } from './predicates/part-reference.js';
import { padded } from './scoped-tables.js';
import type { SearchDialect } from './search-dialect.js';
import { allOf, anyOf, type Logic, negated, NONE } from './search-logic.js';
import type { ElementShape, RowsShape, ShapeMaker, TypedShape } from './search-shape.js';
import { isEmpty, type Slot, type SlotList, type Slots } from './slots.js';

/** A contained resource for which `where` holds. */
export interface ContainedShape {
  readonly kind: 'contained';
  /** Its own row; or, where something is to refer to it, the references. */
  readonly params: SlotList;
  /** What references say of its type; null where `params` is about its own row. */
  readonly referredAs: Slot | null;
  /** Types of the container; null: any. */
  readonly within: SlotList | null;
  readonly where: PartShape;
}

/** A condition on a contained resource, without its values. */
export type PartShape = PartLeafShape | Logic<PartLeafShape>;

type PartLeafShape =
  | RowsShape
  /** `owners`: the rows that tell which contained resource an element is of. */
  | { readonly kind: 'element'; readonly element: ElementShape; readonly owners: SlotList }
  | LeadsShape
  | ContainedShape;

/** A reference leads out of the container; `name` is what begins the text of references to the type. */
export interface LeadsShape {
  readonly kind: 'leads';
  readonly params: SlotList;
  readonly targets: readonly (TypedShape & { readonly name: Slot })[];
}

/** What conditions on contained resources are taken apart with. */
interface PartShapeParts {
  readonly shapes: ShapeMaker;
  readonly slots: Slots;
  readonly dialect: SearchDialect;
}

type ToPath = (path: string) => string;
type ReferenceCondition = Extract<IndexCondition, { index: 'reference' }>;

/** Takes conditions on contained resources apart: what they ask for stands in the container's rows of elements. */
export class PartShapes {
  constructor(private readonly parts: PartShapeParts) {}

  /** A resource that is contained in the one that the plan is about. */
  contained(condition: ContainedCondition): ContainedShape | typeof NONE {
    return this.containedBy(condition, referredPath);
  }

  private containedBy(
    { type, via, within, where }: ContainedCondition,
    toPath: ToPath,
  ): ContainedShape | typeof NONE {
    const params =
      via === null
        ? this.params([{ type, paths: [CONTAINED_SELF] }])
        : this.params(via.map((place) => ({ ...place, paths: place.paths.map(toPath) })));
    if (isEmpty(params)) return NONE;
    const shape = this.part(type, where);
    if (shape.kind === 'none') return NONE;
    const referredAs = via === null ? null : this.parts.slots.add(type);
    const containers = within && this.parts.shapes.typeIds(within);
    if (containers && isEmpty(containers)) return NONE;
    return { kind: 'contained', params, referredAs, within: containers ?? null, where: shape };
  }

  private part(type: string, condition: Condition): PartShape {
    switch (condition.kind) {
      case 'all':
        return allOf(condition.of.map((one) => this.part(type, one)));
      case 'any':
        return anyOf(condition.of.map((one) => this.part(type, one)));
      case 'not':
        return negated(this.part(type, condition.of));
      case 'ids':
        return this.ids(type, condition.ids);
      case 'index':
        // The words of a contained resource are its container's.
        if (condition.index === 'text') return NONE;
        return condition.index === 'reference' ? this.reference(condition) : this.rows(condition);
      case 'element':
        return this.element(type, condition);
      case 'chain':
        return this.leads(condition);
      case 'contained':
        return this.containedBy(condition, innerReferredPath);
      case 'types':
        return condition.types.includes(type) ? allOf([]) : NONE;
      case 'updated':
      case 'has':
        return NONE;
    }
  }

  private ids(type: string, ids: readonly string[]): PartShape {
    const tests = [{ values: ids }];
    const paths = [CONTAINED_SELF];
    return this.parts.shapes.elementRows({ kind: 'index', index: 'uri', type, paths, tests });
  }

  private rows(condition: ComponentCondition): PartShape {
    const paths = condition.paths.map((path) => containedPath(condition.index, path));
    return this.parts.shapes.elementRows({ ...condition, paths });
  }

  private reference({ type, paths, tests, targetFilter }: ReferenceCondition): PartShape {
    const { slots, dialect } = this.parts;
    const params = this.params([{ type, paths: paths.map((path) => containedPath('reference', path)) }]);
    const anyTarget = targetFilter === null ? null : [toPartTargetRow(targetFilter, slots)];
    const rows = tests && padded(tests.flatMap((test) => toPartReferenceRow(test, slots, dialect) ?? []));
    if (isEmpty(params) || rows?.length === 0) return NONE;
    return { kind: 'rows', index: 'uri', params, tests: rows ?? anyTarget, target: null, selective: false };
  }

  private element(type: string, { parts }: ElementCondition): PartShape {
    const owners = this.params([{ type, paths: [CONTAINED_ELEMENT] }]);
    const inside = parts.map((part) =>
      part.map((one) => ({ ...one, paths: one.paths.map((path) => containedPath('composite', path)) })),
    );
    const element = this.parts.shapes.element({ kind: 'element', parts: inside });
    if (element.kind === 'none' || isEmpty(owners)) return NONE;
    return { kind: 'element', element, owners };
  }

  private leads({ type, paths, targets: asked }: ChainCondition): PartShape {
    const params = this.params([{ type, paths: paths.map((path) => containedPath('reference', path)) }]);
    const targets = asked.flatMap((target) => {
      const typed = this.parts.shapes.typed(target.type, target.where);
      return typed === null ? [] : [{ ...typed, name: this.parts.slots.add(`${target.type}/`) }];
    });
    return isEmpty(params) || targets.length === 0 ? NONE : { kind: 'leads', params, targets };
  }

  private params(places: readonly TypedPaths[]): SlotList {
    return this.parts.shapes.params('composite', places);
  }
}
