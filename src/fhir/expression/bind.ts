import type { SearchParameterDefinition } from '../r4/compact.js';
import type { BoundParameter, IndexedPath, IndexKind } from '../indexed-path.js';
import { bindComposite, type ComponentSource } from './bind-composite.js';
import { generateWalks } from './generate.js';
import { lowerExpression } from './lower.js';
import { parseExpression } from './parser.js';
import type { StaticType, TypeSchema } from './schema.js';
import { settleWalk, type SettledWalk } from './settle.js';
import { walkText, type Walk } from './steps.js';
import { UnsupportedExpression } from './syntax.js';
import { type Lift, liftedPath } from '../uplift.js';

/** Parameters that columns of the resource itself answer. */
const NATIVE_CODES: ReadonlySet<string> = new Set(['_id', '_lastUpdated']);

/** The one special parameter that is indexed: places are kept as pairs of numbers. */
const NEAR_URL = 'http://hl7.org/fhir/SearchParameter/Location-near';

interface Binding {
  readonly paths: readonly IndexedPath[];
  readonly targetFilter: string | null;
  /** Types of the values that the parameter finds. */
  readonly ends: readonly StaticType[];
  /** There is one path, and no resource has two values there. */
  readonly single: boolean;
}

/**
 * What a definition means for one resource type: canonical paths, target types and target filter. `source` knows the
 * components of composite parameters.
 */
export function bindParameter(
  schema: TypeSchema,
  resourceType: string,
  definition: SearchParameterDefinition,
  source: ComponentSource,
): BoundParameter {
  const { code, url, type, expression, description, components = [] } = definition;
  const kind = indexKind(definition);
  const binding = kind ? bindExpression(schema, resourceType, expression, kind) : NOTHING;
  const parameter = {
    code,
    url,
    type,
    expression,
    description,
    components,
    paths: binding.paths.map(({ path }) => path),
    targets: type === 'reference' ? targetTypes(definition, binding) : [],
    targetFilter: binding.targetFilter,
    valueTypes: [...new Set(binding.ends.map((end) => end.type))],
    ...(binding.single ? ({ single: true } as const) : {}),
  };
  if (definition.lift) return { parameter, indexed: toLifted(binding.paths, definition.lift) };
  if (type !== 'composite') return { parameter, indexed: binding.paths };
  const { roots, indexed } = bindComposite(schema, resourceType, definition, source);
  return { parameter: { ...parameter, roots }, indexed };
}

/** Copies are made of rows within elements, as these are found by their resource too. */
function toLifted(paths: readonly IndexedPath[], lift: Lift): readonly IndexedPath[] {
  const kind = lift.element === undefined ? 'composite' : lift.kind;
  return paths.map((indexed) => ({ ...indexed, kind, path: liftedPath(lift, indexed.path), lift }));
}

const NOTHING: Binding = { paths: [], targetFilter: null, ends: [], single: false };

function indexKind({ type, code, url, expression }: SearchParameterDefinition): IndexKind | undefined {
  if (url === NEAR_URL) return 'quantity';
  if (type === 'composite' || type === 'special' || expression === '' || NATIVE_CODES.has(code))
    return undefined;
  return type;
}

function bindExpression(
  schema: TypeSchema,
  resourceType: string,
  expression: string,
  kind: IndexKind,
): Binding {
  try {
    const walks = lowerExpression(parseExpression(expression), resourceType);
    const settled = walks.flatMap((walk) => settleWalk(schema, resourceType, walk) ?? []);
    generateWalks(
      schema,
      resourceType,
      settled.map(({ steps }) => ({ steps, emit: () => ';' })),
    );
    return bindWalks(settled, expression, kind);
  } catch (error) {
    if (!(error instanceof UnsupportedExpression)) throw error;
    return { ...NOTHING, paths: [{ kind, path: expression, walk: undefined, expression }] };
  }
}

function bindWalks(settled: readonly SettledWalk[], expression: string, kind: IndexKind): Binding {
  const targetFilter = kind === 'reference' ? commonTarget(settled) : null;
  const walks = settled.map(({ steps }) => (targetFilter === null ? steps : steps.slice(0, -1)));
  const byPath = new Map(walks.map((walk) => [walkText(walk), walk]));
  const paths = [...byPath].map(([path, walk]) => ({ kind, path, walk, expression }));
  const single = paths.length === 1 && settled.every(({ several }) => !several);
  return { paths, targetFilter, ends: settled.flatMap(({ ends }) => ends), single };
}

/** The type of `where(resolve() is Type)` where every walk ends with the same one. */
function commonTarget(settled: readonly SettledWalk[]): string | null {
  const targets = new Set(settled.map(({ steps }) => targetOf(steps)));
  const [target] = targets;
  return targets.size === 1 && target !== undefined ? target : null;
}

function targetOf(walk: Walk): string | undefined {
  const last = walk.at(-1);
  return last?.kind === 'target' ? last.type : undefined;
}

/** A parameter shared by many types lists the targets of all of them; here only those of its own elements count. */
function targetTypes(
  { target = [] }: SearchParameterDefinition,
  { targetFilter, ends }: Binding,
): readonly string[] {
  if (targetFilter !== null) return [targetFilter];
  const references = ends.flatMap(
    ({ type, element }) => element?.types.filter(({ code }) => code === type) ?? [],
  );
  if (references.length === 0 || references.some(({ targets }) => targets === undefined)) return target;
  const possible = new Set(references.flatMap(({ targets = [] }) => targets));
  const common = target.filter((type) => possible.has(type));
  return common.length > 0 ? common : target;
}
