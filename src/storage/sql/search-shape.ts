import type { PartitionId } from '../../model/partition.js';
import type {
  ComponentCondition,
  Condition,
  ElementCondition,
  HasCondition,
  IndexCondition,
  IndexKind,
  SearchPlan,
  SortDirection,
  SortKey,
  SortPlace,
  TypedPaths,
} from '../search-store.js';
import { UNINDEXED_REFERENCE, type Dictionary, type PathKind } from './dictionary.js';
import { isSelective, placesOf } from './index-conditions.js';
import { toDateRow, toMomentRow } from './predicates/date.js';
import { toNumberRow } from './predicates/number.js';
import { toQuantityRow, unitSystem } from './predicates/quantity.js';
import { toReferenceRow } from './predicates/reference.js';
import type { RowTest } from './predicates/row-test.js';
import { toStringRow } from './predicates/string.js';
import { withSystems, type SystemIds } from './predicates/system.js';
import { type TextParts, toTextRow, toTextSlots } from './predicates/text.js';
import { toTokenRow, withTokenSystems } from './predicates/token.js';
import { toUriRow } from './predicates/uri.js';
import { padded } from './scoped-tables.js';
import type { SearchDialect } from './search-dialect.js';
import { toElementRows } from './search-elements.js';
import { type LinkedShape, MANY } from './search-few.js';
import { allOf, anyOf, type Logic, negated, NONE } from './search-logic.js';
import { type ContainedShape, PartShapes } from './search-part-shape.js';
import { type TellingSets, tellingSets } from './search-sets.js';
import { isEmpty, type Slot, type SlotList, type Slots } from './slots.js';
import { type StandingOrder, standingOrder } from './standing-order.js';
import type { TextSlots } from './text-dialect.js';
import { wordPrefixes } from './text-query.js';

/** A condition without its values: plans with equal shapes share one compiled statement. */
export type Shape = LeafShape | Logic<LeafShape>;

type LeafShape =
  /** Tests on a row of HFJ_RESOURCE itself. */
  | {
      readonly kind: 'resource';
      readonly by: 'id' | 'updated' | 'type';
      readonly sql: string;
      readonly slots: readonly Slot[];
    }
  | RowsShape
  | ElementShape
  | ContainedShape
  | LackingShape
  | (LinkedShape & { readonly kind: 'chain'; readonly targets: readonly TypedShape[] })
  | (LinkedShape & { readonly kind: 'has'; readonly source: TypedShape });

/** One element has rows of every part; each part is a list of alternatives. */
export interface ElementShape {
  readonly kind: 'element';
  readonly parts: readonly (readonly RowsShape[])[];
}

/** A condition does not hold of which the sets of paths tell something that resources have rows on. */
export interface LackingShape extends TellingSets {
  readonly kind: 'lacking';
  readonly of: Shape;
}

/** Rows of one index: on one of the paths, one of the tests (null: any row). */
export interface RowsShape {
  readonly kind: 'rows';
  readonly index: IndexKind;
  readonly params: SlotList;
  readonly tests: readonly RowTest[] | null;
  /** Only references to this type; one to another server tells its type by the path of its URL. */
  readonly target: { readonly type: Slot; readonly path: Slot } | null;
  /** Few resources share a value: an identifier or a literal reference. */
  readonly selective: boolean;
}

/** A condition on resources of the types in the slots. */
export interface TypedShape {
  readonly types: SlotList;
  readonly where: Shape;
}

/** A sort key without its values. `params` is empty where nothing was ever indexed. */
export type SortShape =
  | { readonly by: 'id' | 'updated' | 'type'; readonly direction: SortDirection }
  | {
      readonly by: 'index';
      readonly index: Exclude<IndexKind, 'text'>;
      readonly params: SlotList;
      /** References on these paths, all if null, count where they lead to a resource of the type. */
      readonly filters: readonly { readonly params: SlotList | null; readonly type: Slot }[];
      readonly direction: SortDirection;
    }
  | { readonly by: 'relevance'; readonly text: TextSlots; readonly direction: SortDirection };

/** The shape of a whole plan; null where nothing can match. */
export interface PlanShape extends TypedShape {
  /** What is answered of contained resources; null where the plan is about none. */
  readonly contained: ContainedShape | typeof NONE | null;
  /** Whether resources of several types can come together. */
  readonly several: boolean;
  readonly sort: readonly SortShape[];
  /** The order, where there are no sort keys. */
  readonly standing: StandingOrder;
}

/** A longer list of ids is one value. */
const MOST_SLOTS = 8;
/** Of a plan that is about contained resources alone. */
const NOTHING_ELSE: TypedShape = { types: [], where: NONE };
/** No type has this id. */
const NEVER_WRITTEN = -1;

/** What shapes are made with. */
export interface ShapeParts {
  readonly dictionary: Dictionary;
  readonly dialect: SearchDialect;
  readonly slots: Slots;
  readonly systemIds: SystemIds;
  /** Where the plan is searched. */
  readonly partitions: readonly PartitionId[];
}

/** Takes plans apart into shape and values. What was never written can't match: it becomes `none`, never "always". */
export class ShapeMaker {
  private readonly dictionary: Dictionary;
  private readonly dialect: SearchDialect;
  private readonly slots: Slots;
  private readonly systemIds: SystemIds;
  private readonly parts: PartShapes;

  constructor(private readonly made: ShapeParts) {
    const { dictionary, dialect, slots, systemIds } = made;
    this.dictionary = dictionary;
    this.dialect = dialect;
    this.slots = slots;
    this.systemIds = systemIds;
    this.parts = new PartShapes({ shapes: this, slots, dialect });
  }

  plan(asked: SearchPlan): PlanShape | null {
    const { type, where, sort, contained } = asked;
    const several = typeof type !== 'string';
    const parts = contained ? this.parts.contained(contained) : null;
    const isAlone = parts !== null && parts.kind !== 'none';
    const typed = this.anyTyped(type, where) ?? (isAlone ? NOTHING_ELSE : null);
    const [first = ''] = several ? type : [type];
    const keys = sort.map((key) => this.sortKey(first, key));
    return typed && { ...typed, several, sort: keys, standing: standingOrder(asked), contained: parts };
  }

  /** PARAM_IDs of the paths that were ever written. */
  params(index: PathKind, places: readonly TypedPaths[]): SlotList {
    return this.listOf(this.paramIds(index, places));
  }

  private paramIds(index: PathKind, places: readonly TypedPaths[]): readonly number[] {
    const ids = places.flatMap(({ type, paths }) =>
      // What was never written has no paths to look for.
      places.length > 1 && this.dictionary.typeId(type) === undefined
        ? []
        : paths.map((path) => this.dictionary.pathId(type, index, path)),
    );
    return ids.filter((id) => id !== undefined);
  }

  /** Many ids are one slot, so that the number of different statements stays small. */
  private listOf(ids: readonly number[]): SlotList {
    return ids.length > MOST_SLOTS ? this.slots.addJson(ids) : this.slots.addAll(ids);
  }

  /** Where resources refer from. References that no parameter covers have one PARAM_ID for all types. */
  private referring({ type, paths }: HasCondition): SlotList {
    const types = typeof type === 'string' ? [type] : type;
    if (paths !== null)
      return this.params(
        'reference',
        types.map((one) => ({ type: one, paths })),
      );
    const ids = types.flatMap((one) => this.dictionary.pathIds('reference', one));
    return this.slots.addJson([...ids, UNINDEXED_REFERENCE]);
  }

  private anyTyped(type: SearchPlan['type'], where: Condition): TypedShape | null {
    return typeof type === 'string' ? this.typed(type, where) : this.ofTypes(type, where);
  }

  /** Null where nothing can match. */
  typed(type: string, condition: Condition): TypedShape | null {
    const id = this.dictionary.typeId(type);
    if (id === undefined) return null;
    const types = [this.slots.add(id)];
    const where = this.condition(condition);
    return where.kind === 'none' ? null : { types, where };
  }

  /** RES_TYPE_IDs of the types that anything was ever written of. */
  typeIds(types: readonly string[]): SlotList {
    return this.listOf(types.map((type) => this.dictionary.typeId(type)).filter((id) => id !== undefined));
  }

  /** Types that nothing was ever written of are not asked for. */
  private ofTypes(types: readonly string[], condition: Condition): TypedShape | null {
    const ids = types.map((type) => this.dictionary.typeId(type)).filter((id) => id !== undefined);
    if (ids.length === 0) return null;
    const list = this.slots.addJson(ids);
    const where = this.condition(condition);
    return where.kind === 'none' ? null : { types: list, where };
  }

  private sortKey(type: string, key: SortKey): SortShape {
    if (key.by === 'relevance') return this.relevance(type, key);
    if (key.by !== 'index') return key;
    const { index, direction } = key;
    const places: readonly SortPlace[] = placesOf({ type, ...key });
    const params = this.params(index, places);
    const filters = places.flatMap((place) => {
      const own = places.length === 1 ? null : this.params(index, [place]);
      if (place.targetFilter === undefined || (own !== null && isEmpty(own))) return [];
      return [
        { params: own, type: this.slots.add(this.dictionary.typeId(place.targetFilter) ?? NEVER_WRITTEN) },
      ];
    });
    return { by: 'index', index, params, filters, direction };
  }

  private relevance(type: string, key: SortKey & { by: 'relevance' }): SortShape {
    const words = this.wordsOf(placesOf({ type, ...key }));
    return { by: 'relevance', text: toTextSlots(key.test, words), direction: key.direction };
  }

  private wordsOf(places: readonly TypedPaths[]): TextParts {
    return { ...this.made, prefixes: wordPrefixes(this.made.partitions, this.paramIds('text', places)) };
  }

  private condition(condition: Condition): Shape {
    switch (condition.kind) {
      case 'all':
        return allOf(condition.of.map((part) => this.condition(part)));
      case 'any':
        return anyOf(condition.of.map((part) => this.condition(part)));
      case 'not':
        return this.lacking(condition.of);
      case 'ids':
        return this.ids(condition.ids);
      case 'types':
        return this.types(condition.types);
      case 'updated':
        return { kind: 'resource', by: 'updated', ...toMomentRow(condition.test, this.slots) };
      case 'index':
        return this.rows(condition, condition.index);
      case 'element':
        return this.element(condition);
      case 'contained':
        return this.parts.contained(condition);
      case 'chain': {
        const many = this.slots.add(MANY);
        const params = this.params('reference', placesOf(condition));
        const targets = condition.targets
          .map(({ type, where }) => this.typed(type, where))
          .filter((t) => t !== null);
        return isEmpty(params) || targets.length === 0 ? NONE : { kind: 'chain', params, many, targets };
      }
      case 'has': {
        const many = this.slots.add(MANY);
        const params = this.referring(condition);
        const source = this.anyTyped(condition.type, condition.where);
        return isEmpty(params) || source === null ? NONE : { kind: 'has', params, many, source };
      }
    }
  }

  private lacking(of: Condition): Shape {
    const shape = negated(this.condition(of));
    if (shape.kind !== 'not') return shape;
    const paramIds = (one: IndexCondition): readonly number[] => this.paramIds(one.index, placesOf(one));
    const sets = tellingSets(of, { ...this.made, paramIds });
    return sets ? { kind: 'lacking', of: shape.of, ...sets } : shape;
  }

  private ids(ids: readonly string[]): Shape {
    if (ids.length === 0) return NONE;
    const slots = this.slots.addAll(padded(ids));
    const sql = slots.length === 1 ? '@.FHIR_ID = ?' : `@.FHIR_ID in (${slots.map(() => '?').join(', ')})`;
    return { kind: 'resource', by: 'id', sql, slots };
  }

  /** A part without alternatives that were ever written can't hold. */
  element({ parts }: ElementCondition): ElementShape | typeof NONE {
    const shapes = parts.map((part) =>
      part.map((one) => this.elementRows(one)).filter((shape) => shape.kind === 'rows'),
    );
    return shapes.some((part) => part.length === 0) ? NONE : { kind: 'element', parts: shapes };
  }

  /** The condition on rows of elements. */
  elementRows(condition: ComponentCondition): RowsShape | typeof NONE {
    const shape = this.rows(condition, 'composite');
    return shape.kind === 'rows' ? toElementRows(shape) : shape;
  }

  private rows(condition: IndexCondition, kind: PathKind): RowsShape | typeof NONE {
    const { index } = condition;
    const params = this.params(kind, placesOf(condition));
    const tests = this.tests(condition);
    if (isEmpty(params) || tests?.length === 0) return NONE;
    const filter = condition.index === 'reference' ? condition.targetFilter : null;
    return {
      kind: 'rows',
      index,
      params,
      tests,
      target: filter === null ? null : this.targetOf(filter),
      selective: isSelective(condition),
    };
  }

  private types(types: readonly string[]): Shape {
    const ids = types.map((type) => this.dictionary.typeId(type)).filter((id) => id !== undefined);
    if (ids.length === 0) return NONE;
    const slots = [this.slots.add(JSON.stringify(ids))];
    return { kind: 'resource', by: 'type', sql: this.dialect.inJsonList('@.RES_TYPE_ID'), slots };
  }

  private targetOf(type: string): RowsShape['target'] {
    const typeId = this.dictionary.typeId(type) ?? NEVER_WRITTEN;
    return { type: this.slots.add(typeId), path: this.slots.add(`/${type}/`) };
  }

  private tests(condition: IndexCondition): readonly RowTest[] | null {
    const { slots, dialect, dictionary, systemIds } = this;
    if (condition.tests === null) return null;
    switch (condition.index) {
      case 'token':
        return padded(withTokenSystems(condition.tests, systemIds)).map((test) =>
          toTokenRow(test, slots, dialect),
        );
      case 'string':
        return padded(condition.tests).map((test) => toStringRow(test, slots, dialect));
      case 'date':
        return padded(condition.tests).map((test) => toDateRow(test, slots));
      case 'number':
        return padded(condition.tests).map((test) => toNumberRow(test, slots));
      case 'quantity':
        return padded(withSystems(condition.tests, unitSystem, systemIds)).map((test) =>
          toQuantityRow(test, slots),
        );
      case 'uri':
        return padded(condition.tests).map((test) => toUriRow(test, slots, dialect));
      case 'text':
        return condition.tests.map((test) => toTextRow(test, this.wordsOf(placesOf(condition))));
      case 'reference':
        return padded(condition.tests)
          .map((test) => toReferenceRow(test, slots, { dictionary, dialect }))
          .filter((row) => row !== null);
    }
  }
}
