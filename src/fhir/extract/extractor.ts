import { FhirError } from '../../model/errors.js';
import type { Resource } from '../../model/resource.js';
import { compileElementsForEngine, compileForEngine, ExpressionTooCostly } from '../expression/engine.js';
import { generateWalks, type Route } from '../expression/generate.js';
import { expressionRuntime, type ExpressionRuntime } from '../expression/runtime.js';
import type { StaticType, TypeSchema } from '../expression/schema.js';
import type { IndexedPath, IndexKind } from '../indexed-path.js';
import { walkText } from '../expression/steps.js';
import { elementMaker } from './element-rows.js';
import { pathKind, pathMaker } from './lifted-rows.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker } from './row-maker.js';

/** Adds all rows of one resource. */
export type Extractor = (resource: Resource, rows: RowCollector) => void;

/** One function for all paths of a resource type, generated on the spot (a millisecond or less). */
export function compileExtractor(
  schema: TypeSchema,
  resourceType: string,
  paths: readonly IndexedPath[],
): Extractor {
  const extractors = [
    compileWalks(schema, resourceType, paths),
    ...paths.flatMap(engineExtractor),
    ...elementExtractors(paths),
  ];
  const [only] = extractors;
  if (extractors.length === 1 && only) return only;
  return (resource, rows) => {
    for (const extract of extractors) extract(resource, rows);
  };
}

function compileWalks(schema: TypeSchema, resourceType: string, paths: readonly IndexedPath[]): Extractor {
  const makers: RowMaker[] = [];
  const routes = [...elementRoutes(paths, makers), ...paths.flatMap((path) => toRoute(path, makers) ?? [])];
  const source = generateWalks(schema, resourceType, routes);
  const names = makers.map((_, at) => `make${at}`);
  const build = new Function('runtime', ...names, `return (resource,rows)=>{${source}}`) as (
    runtime: ExpressionRuntime,
    ...functions: readonly RowMaker[]
  ) => Extractor;
  return build(expressionRuntime, ...makers);
}

function toRoute(indexed: IndexedPath, makers: RowMaker[]): Route | undefined {
  const { path, walk } = indexed;
  const kind = pathKind(indexed);
  if (!walk || !kind) return undefined;
  const emit = rowsOf({ kind, path, makerOf: (_, type) => pathMaker(indexed, type) }, makers);
  return { steps: walk, emit };
}

/** Which rows are made of values. */
interface MadeRows {
  readonly kind: IndexKind;
  readonly path: string;
  readonly makerOf: typeof elementMaker;
}

function rowsOf({ kind, path, makerOf }: MadeRows, makers: RowMaker[]): Route['emit'] {
  return (variable, type) => {
    const maker = makerOf(kind, type.type);
    if (!maker) return '';
    if (!makers.includes(maker)) makers.push(maker);
    const system = kind === 'token' ? impliedSystem(type) : null;
    return `make${makers.indexOf(maker)}(${variable},${JSON.stringify(path)},rows,${JSON.stringify(system)});`;
  };
}

/**
 * Each element that a composite parameter is about gets a number, and the values in it carry that number. A fork's own
 * code comes before that of its branches, which therefore see it.
 */
function elementRoutes(paths: readonly IndexedPath[], makers: RowMaker[]): readonly Route[] {
  const roots: string[] = [];
  return paths.flatMap(({ path, walk, component }): readonly Route[] => {
    if (!walk || !component?.walk) return [];
    const root = walkText(walk);
    const known = roots.indexOf(root);
    const element = `element${known < 0 ? roots.push(root) - 1 : known}`;
    const emit = rowsOf({ kind: component.kind, path, makerOf: elementMaker }, makers);
    const inside: Route = {
      steps: [...walk, ...component.walk],
      emit: (variable, type) => {
        const rows = emit(variable, type);
        return rows && `rows.element=${element};${rows}`;
      },
    };
    if (known >= 0) return [inside];
    return [{ steps: walk, emit: () => `const ${element}=rows.nextElement();` }, inside];
  });
}

/** The code system that a `code` has because its element requires the one value set. */
function impliedSystem({ type, element }: StaticType): string | null {
  return type === 'code' ? (element?.binding?.system ?? null) : null;
}

/**
 * For expressions that the compiler does not know: parameters of the server's own, never official ones. What the
 * expression does not allow for has no values; what it takes too long for is refused, as nobody could find it.
 */
function engineExtractor(indexed: IndexedPath): Extractor[] {
  const { path, walk, expression } = indexed;
  if (walk || !pathKind(indexed)) return [];
  const evaluate = compileForEngine(expression);
  return [
    (resource, rows) => {
      for (const { value, type } of evaluateFor(resource, evaluate, expression)) {
        pathMaker(indexed, type)?.(value, path, rows, null);
      }
    },
  ];
}

/** The same for composite parameters; those with equal elements share their numbers. */
function elementExtractors(paths: readonly IndexedPath[]): readonly Extractor[] {
  const parts = paths.flatMap(({ path, walk, expression, component }) =>
    component && !walk ? { path, root: expression, ...component } : [],
  );
  return [...Map.groupBy(parts, ({ root }) => root)].map(([root, ofRoot]): Extractor => {
    const evaluate = compileElementsForEngine(
      root,
      ofRoot.map(({ expression }) => expression),
    );
    return (resource, rows) => {
      for (const values of evaluateFor(resource, evaluate, root)) {
        rows.element = rows.nextElement();
        ofRoot.forEach(({ kind, path }, at) => {
          for (const { value, type } of values[at] ?? []) elementMaker(kind, type)?.(value, path, rows, null);
        });
      }
    };
  });
}

/** @throws FhirError LIMIT_EXCEEDED */
function evaluateFor<Found>(
  resource: Resource,
  evaluate: (resource: Resource) => readonly Found[],
  expression: string,
): readonly Found[] {
  try {
    return evaluate(resource);
  } catch (error) {
    if (!(error instanceof ExpressionTooCostly)) return [];
    const message = `A search parameter's expression takes too long on this resource: ${expression.slice(0, 200)}`;
    throw new FhirError('LIMIT_EXCEEDED', message, { cause: error });
  }
}
