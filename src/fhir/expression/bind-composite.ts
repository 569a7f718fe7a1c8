import { rowMaker } from '../extract/row-makers.js';
import type { CompositeComponent, CompositeRoot } from '../index-values.js';
import type { IndexedComponent, IndexedPath, IndexKind } from '../indexed-path.js';
import type { SearchComponent, SearchParameterDefinition } from '../r4/compact.js';
import { compileElementsForEngine, OF_RESOURCE } from './engine.js';
import { generateWalks, type Route } from './generate.js';
import { lowerExpression } from './lower.js';
import { parseExpression } from './parser.js';
import type { StaticType, TypeSchema } from './schema.js';
import { settleWalk, type SettledWalk } from './settle.js';
import { walkText, type Walk } from './steps.js';
import { UnsupportedExpression } from './syntax.js';

/** Where the definitions of components are looked up. */
export interface ComponentSource {
  byUrl(url: string): SearchParameterDefinition | undefined;
}

/** What a composite parameter means for one resource type. */
interface BoundComposite {
  readonly roots: readonly CompositeRoot[];
  readonly indexed: readonly IndexedPath[];
}

/** One component, and the kinds that its values may have: its own first, then those of the others. */
interface Part {
  readonly component: SearchComponent;
  readonly code: string;
  readonly kinds: readonly IndexKind[];
}

const NOTHING: BoundComposite = { roots: [], indexed: [] };

/**
 * The roots of a composite parameter with its components. A root that a resource has once at most is as good as the
 * resource itself: what the resource is indexed by answers its components. Where one of the expressions is one that
 * only the FHIRPath engine knows, it evaluates all of them.
 */
export function bindComposite(
  schema: TypeSchema,
  resourceType: string,
  definition: SearchParameterDefinition,
  source: ComponentSource,
): BoundComposite {
  const parts = toParts(definition, source);
  if (parts === undefined) return NOTHING;
  if (parts.some(({ component }) => component.byEngine)) return bindForEngine(definition, parts);
  try {
    const walks = lowerExpression(parseExpression(definition.expression), resourceType);
    const binder = new RootBinder(schema, resourceType, definition.expression);
    const roots = walks.flatMap((walk) => binder.bind(walk, parts) ?? []);
    const indexed = [...binder.indexed.values()];
    generateWalks(schema, resourceType, indexed.map(toRoute));
    return { roots, indexed };
  } catch (error) {
    if (!(error instanceof UnsupportedExpression)) throw error;
    return bindForEngine(definition, parts);
  }
}

function toRoute({ walk = [], component }: IndexedPath): Route {
  return { steps: [...walk, ...(component?.walk ?? [])], emit: () => ';' };
}

/**
 * One root, whose elements have numbers of their own: nothing that the compiler made can be put beside them. What is
 * not FHIRPath is not indexed; it was stored before anybody looked.
 */
function bindForEngine({ expression }: SearchParameterDefinition, parts: readonly Part[]): BoundComposite {
  if (!isEvaluable(expression, parts)) return NOTHING;
  const bound = parts.map((part) => engineComponent(part, expression));
  const components = bound.map(({ component }) => component);
  return { roots: [{ components }], indexed: bound.map(({ indexed }) => indexed) };
}

function engineComponent(
  { component: { definition: url, expression }, code, kinds }: Part,
  root: string,
): { readonly component: CompositeComponent; readonly indexed: IndexedPath } {
  const kind = kinds[0] ?? 'token';
  const path = `(${root})#${kind}:${expression}`;
  return {
    component: {
      code,
      url,
      type: kind,
      paths: [path],
      targets: [],
      targetFilter: null,
      expression,
      valueTypes: [],
      within: 'element',
    },
    indexed: {
      kind: 'composite',
      path,
      walk: undefined,
      expression: root,
      component: { kind, walk: undefined, expression },
    },
  };
}

function isEvaluable(root: string, parts: readonly Part[]): boolean {
  const texts = parts.map(({ component }) => component.expression);
  if (root === '' || texts.includes('')) return false;
  try {
    compileElementsForEngine(root, texts);
    return true;
  } catch {
    return false;
  }
}

/** Undefined where a component is not known, or is none that has index rows. */
function toParts(
  { components = [] }: SearchParameterDefinition,
  source: ComponentSource,
): readonly Part[] | undefined {
  const definitions = components.map(
    ({ definition, type }) => source.byUrl(definition) ?? (type && { code: '', type }),
  );
  const kinds = definitions.flatMap((one) => toKind(one) ?? []);
  if (components.length === 0 || kinds.length < components.length) return undefined;
  return components.map((component, at) => ({
    component,
    code: definitions[at]?.code ?? '',
    kinds: kinds.slice(at, at + 1).concat(kinds),
  }));
}

function toKind(definition: Pick<SearchParameterDefinition, 'type'> | undefined): IndexKind | undefined {
  const type = definition?.type;
  return type === 'composite' || type === 'special' ? undefined : type;
}

/** Binds root after root, and collects what they are indexed by. */
class RootBinder {
  readonly indexed = new Map<string, IndexedPath>();

  constructor(
    private readonly schema: TypeSchema,
    private readonly resourceType: string,
    private readonly expression: string,
  ) {}

  /** Undefined where a component has no values there. */
  bind(walk: Walk, parts: readonly Part[]): CompositeRoot | undefined {
    const root = settleWalk(this.schema, this.resourceType, walk);
    if (root === undefined) return undefined;
    const components = parts.flatMap((part) => this.component(root, part) ?? []);
    return components.length === parts.length ? { components } : undefined;
  }

  private component(root: SettledWalk, part: Part): CompositeComponent | undefined {
    const { definition: url, expression } = part.component;
    const isOfResource = OF_RESOURCE.test(expression);
    const walks = lowerExpression(parseExpression(expression), this.resourceType).flatMap(
      (walk) =>
        settleWalk(this.schema, this.resourceType, isOfResource ? walk : [...root.steps, ...walk]) ?? [],
    );
    const ends = walks.flatMap((walk) => walk.ends);
    const kind = part.kinds.find((one) => ends.some(({ type }) => rowMaker(one, type) !== undefined));
    if (kind === undefined) return undefined;
    const within = isOfResource || !root.several ? 'resource' : 'element';
    const paths = walks.map(({ steps }) =>
      within === 'resource'
        ? this.ownPath(steps, kind)
        : this.elementPath(root.steps, { kind, walk: steps.slice(root.steps.length), expression }),
    );
    return {
      code: part.code,
      url,
      type: kind,
      paths,
      targets: targetsOf(ends),
      targetFilter: null,
      expression,
      valueTypes: [...new Set(ends.map(({ type }) => type))],
      within,
    };
  }

  /** The text of the whole walk is its expression: the component's own may begin at the root. */
  private ownPath(walk: Walk, kind: IndexKind): string {
    const path = walkText(walk);
    this.indexed.set(`${kind} ${path}`, { kind, path, walk, expression: path });
    return path;
  }

  private elementPath(walk: Walk, component: IndexedComponent & { readonly walk: Walk }): string {
    const path = `${walkText(walk)}#${component.kind}:${walkText(component.walk)}`;
    this.indexed.set(`composite ${path}`, {
      kind: 'composite',
      path,
      walk,
      expression: this.expression,
      component,
    });
    return path;
  }
}

/** Types that references may lead to; empty where they may lead to any. */
function targetsOf(ends: readonly StaticType[]): readonly string[] {
  const types = ends.flatMap(({ type, element }) => element?.types.filter(({ code }) => code === type) ?? []);
  if (types.some(({ targets }) => targets === undefined)) return [];
  return [...new Set(types.flatMap(({ targets = [] }) => targets))];
}
