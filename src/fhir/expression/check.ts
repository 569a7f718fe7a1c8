import type { SearchComponent, SearchParameterDefinition } from '../r4/compact.js';
import type { IndexKind } from '../indexed-path.js';
import { rowMaker } from '../extract/row-makers.js';
import { isPrimitive } from '../validate/primitives.js';
import { compileForEngine } from './engine.js';
import { generateWalks } from './generate.js';
import { lowerExpression } from './lower.js';
import { parseExpression } from './parser.js';
import { resourceStaticType, type StaticType, type TypeSchema } from './schema.js';
import { settleWalk } from './settle.js';
import type { Walk } from './steps.js';
import { UnsupportedExpression, type Expression } from './syntax.js';

/** What is wrong with an expression. `position` counts characters from 0; undefined where no one is to blame. */
export interface ExpressionFinding {
  readonly message: string;
  readonly position: number | undefined;
}

/** Longest expression, in characters; the longest official one has 2,800. */
const MAX_LENGTH = 8_000;
/** Deepest nesting: parsers recurse. */
const MAX_DEPTH = 32;

/** What an index cannot be made of: other resources, other servers, and the time of day. */
const FOREIGN_CALL = /\b(resolve|memberOf|conformsTo|now|today|timeOfDay|trace|weight|ordinal)\s*\(/;
const FOREIGN_VARIABLE = /%(?!resource\b|context\b|rootResource\b|ucum\b|sct\b|loinc\b)[\w`'"]+/;

/**
 * Why values of the kind can't be found by the expression on resources of the type; undefined where they can.
 * Expressions that the compiler knows are checked against the definitions of the elements; what is left to the
 * FHIRPath engine is parsed by it, and evaluated once on a resource without elements, in bounded time.
 */
export function checkExpression(
  schema: TypeSchema,
  resourceType: string,
  { expression, type }: Pick<SearchParameterDefinition, 'expression' | 'type'>,
): ExpressionFinding | undefined {
  const excess = checkSize(expression);
  if (excess) return excess;
  const kind = type === 'composite' || type === 'special' ? undefined : type;
  let parsed: Expression | undefined;
  try {
    parsed = parseExpression(expression);
    return checkWalks(schema, resourceType, lowerExpression(parsed, resourceType), { expression, kind });
  } catch (error) {
    if (!(error instanceof UnsupportedExpression)) throw error;
    return checkForEngine(resourceType, expression, { isParsed: parsed !== undefined, refusal: error });
  }
}

/**
 * Why a component of a composite parameter can't be evaluated in its elements; undefined where it can. What the
 * compiler knows is not looked at any closer.
 */
export function checkComponent(
  resourceType: string,
  { expression }: Pick<SearchComponent, 'expression'>,
): ExpressionFinding | undefined {
  const excess = checkSize(expression);
  if (excess) return excess;
  let parsed: Expression | undefined;
  try {
    parsed = parseExpression(expression);
    lowerExpression(parsed, resourceType);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedExpression)) throw error;
    return checkForEngine(resourceType, expression, { isParsed: parsed !== undefined, refusal: error });
  }
}

function checkSize(expression: string): ExpressionFinding | undefined {
  if (expression.length > MAX_LENGTH) {
    return { message: `it is longer than ${MAX_LENGTH} characters`, position: MAX_LENGTH };
  }
  let depth = 0;
  for (let at = 0; at < expression.length; at++) {
    const character = expression[at];
    if (character === '(' || character === '[' || character === '{') depth++;
    else if (character === ')' || character === ']' || character === '}') depth--;
    if (depth > MAX_DEPTH) return { message: `it is nested deeper than ${MAX_DEPTH}`, position: at };
  }
  return undefined;
}

function checkWalks(
  schema: TypeSchema,
  resourceType: string,
  walks: readonly Walk[],
  { expression, kind }: { readonly expression: string; readonly kind: IndexKind | undefined },
): ExpressionFinding | undefined {
  if (walks.length === 0) return { message: `it reads nothing of ${resourceType}`, position: 0 };
  const settled = walks.map((walk) => settleWalk(schema, resourceType, walk));
  const lost = settled.findIndex((walk) => walk === undefined);
  if (lost >= 0) return lostStep(schema, resourceType, { walk: walks[lost] ?? [], expression });
  const found = settled.flatMap((walk) => walk ?? []);
  const routes = found.map(({ steps }) => ({ steps, emit: () => ';' }));
  generateWalks(schema, resourceType, routes);
  const ends = found.flatMap((walk) => walk.ends);
  return kind && checkEnds(ends, kind);
}

/** Names the first element of the walk that no resource of the type has. */
function lostStep(
  schema: TypeSchema,
  resourceType: string,
  { walk, expression }: { readonly walk: Walk; readonly expression: string },
): ExpressionFinding {
  const end = walk.findIndex(
    (_, at) => settleWalk(schema, resourceType, walk.slice(0, at + 1)) === undefined,
  );
  const step = walk[end];
  const before = settleWalk(schema, resourceType, walk.slice(0, end))?.ends ?? [
    resourceStaticType(resourceType),
  ];
  const owners = [...new Set(before.map(({ location }) => location))].join(', ');
  if (step?.kind === 'member') {
    return {
      message: `${owners} has no element "${step.name}"${choiceOf(schema, resourceType, walk.slice(0, end), step.name)}`,
      position: positionOf(expression, step.name),
    };
  }
  const type = step?.kind === 'type' || step?.kind === 'target' ? step.type : '';
  return { message: `no value of ${owners} is a ${type}`, position: positionOf(expression, type) };
}

/** FHIRPath knows a choice by its own name alone; JSON's, such as `valueDateTime`, stand in many parameters. */
function choiceOf(schema: TypeSchema, resourceType: string, before: Walk, name: string): string {
  for (const { index } of name.matchAll(/[A-Z]/g)) {
    const [stem, suffix] = [name.slice(0, index), name.slice(index)];
    const primitive = `${suffix.charAt(0).toLowerCase()}${suffix.slice(1)}`;
    const type = isPrimitive(primitive) ? primitive : suffix;
    const walk = [...before, { kind: 'member', name: stem, index: null }, { kind: 'type', type }] as const;
    if (settleWalk(schema, resourceType, walk)) return `; FHIRPath says ${stem}.ofType(${type})`;
  }
  return '';
}

function positionOf(expression: string, word: string): number | undefined {
  const at = expression.search(new RegExp(String.raw`\b${word.replaceAll(/\W/g, '')}\b`));
  return at < 0 ? undefined : at;
}

/** Resources inside of a Bundle count as references to them, of which R4 has two parameters. */
function checkEnds(ends: readonly StaticType[], kind: IndexKind): ExpressionFinding | undefined {
  const isSearchable = ({ type }: StaticType): boolean =>
    rowMaker(kind, type) !== undefined || (kind === 'reference' && type === 'Resource');
  if (ends.some(isSearchable)) return undefined;
  const types = [...new Set(ends.map(({ type }) => type))].join(', ');
  return { message: `a ${kind} parameter cannot search values of type ${types}`, position: undefined };
}

function checkForEngine(
  resourceType: string,
  expression: string,
  { isParsed, refusal }: { readonly isParsed: boolean; readonly refusal: UnsupportedExpression },
): ExpressionFinding | undefined {
  const foreign = findForeign(expression, isParsed);
  if (foreign) return foreign;
  try {
    compileForEngine(expression)({ resourceType });
    return undefined;
  } catch (error) {
    return engineFinding(error, isParsed ? undefined : refusal.position);
  }
}

/** Spaces, so that positions stay what they are. */
function blank(text: string): string {
  return ' '.repeat(text.length);
}

/** What is read as a look at the reference itself needs nothing else; see `rewriteForEngine`. */
function findForeign(expression: string, isParsed: boolean): ExpressionFinding | undefined {
  const code = expression.replaceAll(/'(?:[^'\\]|\\.)*(?:'|\\?$)/gs, blank);
  const looked = isParsed ? code.replaceAll(/\bresolve\s*\(\s*\)\s+is\b/g, blank) : code;
  const found = FOREIGN_CALL.exec(looked) ?? FOREIGN_VARIABLE.exec(looked);
  if (!found) return undefined;
  return { message: `"${found[1] ?? found[0]}" cannot be used in a search parameter`, position: found.index };
}

/** The engine counts lines and columns; both begin at 1. */
function engineFinding(error: unknown, position: number | undefined): ExpressionFinding {
  const text = error instanceof Error ? error.message : String(error);
  const [, column, reason] = /line: 1; column: (\d+); message: (.*?)(?: expecting .*)?$/m.exec(text) ?? [];
  if (column !== undefined) return { message: (reason ?? text).trim(), position: Number(column) - 1 };
  const message = error instanceof TypeError ? 'it is not FHIRPath' : text;
  return { message: message.slice(0, 200), position };
}
