import { compileForEngine, type EngineExpression } from '../../../src/fhir/expression/engine.js';
import { generateWalks } from '../../../src/fhir/expression/generate.js';
import { expressionRuntime, refersTo } from '../../../src/fhir/expression/runtime.js';
import type { RegisteredSearchParameter } from '../../../src/fhir/indexed-path.js';
import type { SearchParameterRegistry } from '../../../src/fhir/search-parameters.js';
import type { Resource } from '../../../src/model/resource.js';
import { unionParts } from '../../oracle/fhir-expression.js';

type Walker = (resource: Resource, found: unknown[][]) => void;

const walkers = new Map<string, Walker>();
const engines = new Map<string, EngineExpression>();

function walkerOf(registry: SearchParameterRegistry, resourceType: string): Walker {
  const known = walkers.get(resourceType);
  if (known) return known;
  const routes = registry.indexedPaths(resourceType).map(({ walk = [] }, at) => ({
    steps: walk,
    emit: (variable: string) => `found[${at}].push(${variable});`,
  }));
  const source = generateWalks(registry.schema, resourceType, routes);
  const made = new Function('runtime', `return (resource,found)=>{${source}}`)(expressionRuntime) as Walker;
  walkers.set(resourceType, made);
  return made;
}

function engineOf(expression: string): EngineExpression {
  const made = engines.get(expression) ?? compileForEngine(expression);
  engines.set(expression, made);
  return made;
}

/** Distinct values in one order: a union has neither repetitions nor an order. */
function asSet(values: readonly unknown[]): string[] {
  return [...new Set(values.map((value) => JSON.stringify(value)))].toSorted();
}

/** Parameters of the resource for which compiled code and engine disagree. */
export function disagreements(registry: SearchParameterRegistry, resource: Resource): string[] {
  const indexed = registry.indexedPaths(resource.resourceType);
  const found = indexed.map((): unknown[] => []);
  walkerOf(registry, resource.resourceType)(resource, found);
  const compiled = ({ type, paths, targetFilter }: RegisteredSearchParameter): unknown[] => {
    const values = indexed.flatMap((one, at) =>
      one.kind === (type === 'special' ? 'quantity' : type) && paths.includes(one.path)
        ? (found[at] ?? [])
        : [],
    );
    return targetFilter === null ? values : values.filter((value) => refersTo(value, targetFilter));
  };
  const parameters = registry.list(resource.resourceType).filter(({ paths }) => paths.length > 0);
  return parameters.flatMap((parameter) => {
    const parts = unionParts(parameter.expression).flatMap((part) => engineOf(part)(resource));
    const expected = asSet(parts.map(({ value }) => value));
    const actual = asSet(compiled(parameter));
    const equal = JSON.stringify(actual) === JSON.stringify(expected);
    return equal
      ? []
      : [`${resource.resourceType} ${parameter.code}: ${actual.join()} instead of ${expected.join()}`];
  });
}
