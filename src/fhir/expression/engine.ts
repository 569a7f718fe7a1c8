import { createRequire } from 'node:module';
import type { Resource } from '../../model/resource.js';
import { TimeSpent, withinTime } from '../time-budget.js';
import { parseExpression } from './parser.js';
import { refersTo } from './runtime.js';
import { print, UnsupportedExpression, type Expression } from './syntax.js';

/** A value that an expression found, and its FHIR type. */
export interface TypedValue {
  readonly value: unknown;
  readonly type: string;
}

/**
 * Evaluates one expression on resources. @throws ExpressionTooCostly; Error where the expression does not allow for
 * what the resource has.
 */
export type EngineExpression = (resource: Resource) => readonly TypedValue[];

/**
 * Evaluates expressions in each element that another one finds in the resource: for each element, the values of each
 * expression. @throws as EngineExpression
 */
export type EngineElements = (resource: Resource) => readonly (readonly (readonly TypedValue[])[])[];

/** An expression that the engine was not done with in time. */
export class ExpressionTooCostly extends Error {
  override readonly name = 'ExpressionTooCostly';
}

/**
 * Longest time in milliseconds for one expression on one resource. The largest resources take a few; nested loops
 * can be written that take years, and the engine holds the event loop.
 */
const BUDGET_MS = 500;
/** The same for reading an expression; the first one also warms the engine's parser up. */
const COMPILE_MS = 5_000;

/** The part of fhirpath.js that is used here. */
interface FhirPathLibrary {
  compile(
    expression: string,
    model: unknown,
    options: EngineOptions,
  ): (value: unknown, variables: Readonly<Record<string, unknown>>) => unknown[];
}

/** A compiled expression, outside of any budget. */
type Evaluation = (value: unknown, resource: Resource) => readonly TypedValue[];

interface EngineOptions {
  readonly traceFn: () => void;
  readonly userInvocationTable: Readonly<Record<string, unknown>>;
}

const OPTIONS: EngineOptions = {
  traceFn: () => undefined,
  userInvocationTable: {
    refersTo: {
      fn: (values: readonly { readonly data?: unknown }[], type: string) =>
        values.map((value) => refersTo(value.data ?? value, type)),
      arity: { 1: ['String'] },
      internalStructures: true,
    },
  },
};

/**
 * Compiles an expression for the FHIRPath engine: slow, but complete. What the engine cannot do without a
 * server is rewritten first. Throws the engine's error where the text is not FHIRPath, and ExpressionTooCostly.
 */
export function compileForEngine(text: string): EngineExpression {
  const evaluate = compile(text);
  return (resource) => withinBudget(BUDGET_MS, () => evaluate(resource, resource));
}

/** Begins the expression of a component that stands outside of its element. */
export const OF_RESOURCE = /^%(?:resource|context)\./;

/** As `compileForEngine`: `texts` are evaluated in the elements that `root` finds; one budget is for all of them. */
export function compileElementsForEngine(root: string, texts: readonly string[]): EngineElements {
  const elements = compile(root);
  const parts = texts.map((text) => ({ evaluate: compile(text), isOfResource: OF_RESOURCE.test(text) }));
  return (resource) =>
    withinBudget(BUDGET_MS, () =>
      elements(resource, resource).map(({ value }) =>
        parts.map(({ evaluate, isOfResource }) => evaluate(isOfResource ? resource : value, resource)),
      ),
    );
}

function compile(text: string): Evaluation {
  const { library, model } = engine();
  const rewritten = rewriteText(text);
  const [values, types] = withinBudget(
    COMPILE_MS,
    () =>
      [
        library.compile(rewritten, model, OPTIONS),
        library.compile(`(${rewritten}).select($this.type().name)`, model, OPTIONS),
      ] as const,
  );
  return (value, resource) => {
    const variables = { resource, rootResource: resource };
    const names = types(value, variables);
    return values(value, variables).map((found, at) => ({ value: found, type: fhirType(String(names[at])) }));
  };
}

function withinBudget<Result>(milliseconds: number, work: () => Result): Result {
  // Outside of the budget: it takes some 100 ms.
  engine();
  try {
    return withinTime(milliseconds, work);
  } catch (error) {
    if (!(error instanceof TimeSpent)) throw error;
    throw new ExpressionTooCostly(error.message, { cause: error });
  }
}

/** Computed values have FHIRPath's own types; the primitive that each is a value of. */
const SYSTEM_TYPES: ReadonlyMap<string, string> = new Map([
  ['Boolean', 'boolean'],
  ['String', 'string'],
  ['Integer', 'integer'],
  ['Decimal', 'decimal'],
  ['Date', 'date'],
  ['DateTime', 'dateTime'],
  ['Time', 'time'],
]);

function fhirType(name: string): string {
  return SYSTEM_TYPES.get(name) ?? name;
}

/** Text beyond this project's own parser goes to the engine as it is. */
function rewriteText(text: string): string {
  try {
    return print(rewriteForEngine(parseExpression(text)));
  } catch (error) {
    if (error instanceof UnsupportedExpression) return text;
    throw error;
  }
}

/**
 * `resolve() is X` becomes a look at the reference itself, and `as` becomes `ofType`, because search parameters
 * apply it to repeating elements (https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression).
 */
export function rewriteForEngine(expression: Expression): Expression {
  switch (expression.kind) {
    case 'name':
    case 'literal':
      return expression;
    case 'member':
    case 'index':
      return { ...expression, base: rewriteForEngine(expression.base) };
    case 'binary':
      return {
        ...expression,
        left: rewriteForEngine(expression.left),
        right: rewriteForEngine(expression.right),
      };
    case 'type':
      return rewriteType(expression);
    case 'call':
      return rewriteCall(expression);
  }
}

function rewriteType(expression: Extract<Expression, { kind: 'type' }>): Expression {
  const { operator, type } = expression;
  const base = rewriteForEngine(expression.base);
  if (operator === 'as') return call(base, 'ofType', { kind: 'name', name: type });
  if (base.kind === 'call' && base.name === 'resolve') {
    return call(base.base ?? { kind: 'name', name: '$this' }, 'refersTo', { kind: 'literal', value: type });
  }
  return { ...expression, base };
}

function rewriteCall(expression: Extract<Expression, { kind: 'call' }>): Expression {
  return {
    ...expression,
    name: expression.name === 'as' ? 'ofType' : expression.name,
    base: expression.base && rewriteForEngine(expression.base),
    arguments: expression.arguments.map(rewriteForEngine),
  };
}

function call(base: Expression, name: string, argument: Expression): Expression {
  return { kind: 'call', base, name, arguments: [argument] };
}

/** The engine, and what it knows of R4. */
interface LoadedEngine {
  readonly library: FhirPathLibrary;
  readonly model: unknown;
}

let loaded: LoadedEngine | undefined;

/** Loaded on first use: the engine takes some 100 ms and official parameters never need it. */
function engine(): LoadedEngine {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  loaded = {
    library: require('fhirpath') as FhirPathLibrary,
    model: require('fhirpath/fhir-context/r4') as unknown,
  };
  return loaded;
}
