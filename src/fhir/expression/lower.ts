import type { Condition, Step, Walk } from './steps.js';
import { print, UnsupportedExpression, type Expression } from './syntax.js';

/**
 * The walks of an expression that can begin at a resource of the type: branches of a union that belong to
 * another type are left out, so the list may be empty. Throws UnsupportedExpression.
 */
export function lowerExpression(expression: Expression, resourceType: string): Walk[] {
  switch (expression.kind) {
    case 'name':
      return lowerName(expression.name, resourceType);
    case 'member':
      return extend(lowerExpression(expression.base, resourceType), memberStep(expression.name));
    case 'index':
      return lowerExpression(expression.base, resourceType).map((walk) => indexed(walk, expression.index));
    case 'type':
      return lowerType(expression, resourceType);
    case 'binary':
      return lowerBinary(expression, resourceType);
    case 'call':
      return lowerCall(expression, resourceType);
    case 'literal':
      throw unsupported(expression);
  }
}

function lowerName(name: string, resourceType: string): Walk[] {
  if (name === resourceType || name === 'Resource' || name === 'DomainResource') return [[]];
  if (name === '$this' || name === '%resource' || name === '%context') return [[]];
  if (/^[%$]/.test(name)) throw new UnsupportedExpression(`variable ${name}`);
  return /^[A-Z]/.test(name) ? [] : [[memberStep(name)]];
}

function lowerType(expression: Extract<Expression, { kind: 'type' }>, resourceType: string): Walk[] {
  if (expression.operator === 'is') throw unsupported(expression);
  return extend(lowerExpression(expression.base, resourceType), { kind: 'type', type: expression.type });
}

function lowerBinary(expression: Extract<Expression, { kind: 'binary' }>, resourceType: string): Walk[] {
  const { operator, left, right } = expression;
  if (operator === '|')
    return [...lowerExpression(left, resourceType), ...lowerExpression(right, resourceType)];
  return lowerTruth(expression, resourceType);
}

/** A truth about the resource; none where it is about resources of another type. */
function lowerTruth(expression: Expression, resourceType: string): Walk[] {
  const condition = lowerCondition(expression, resourceType);
  return hasWalks(condition) ? [[{ kind: 'condition', condition }]] : [];
}

function lowerCall(call: Extract<Expression, { kind: 'call' }>, resourceType: string): Walk[] {
  const base = (): Walk[] => (call.base ? lowerExpression(call.base, resourceType) : [[]]);
  switch (call.name) {
    case 'as':
    case 'ofType':
      return extend(base(), { kind: 'type', type: typeArgument(call) });
    case 'where':
      return extend(base(), lowerWhere(onlyArgument(call)));
    case 'extension':
      return extend(base(), { kind: 'extension', url: stringArgument(call) });
    case 'first':
      return base().map((walk) => indexed(walk, 0));
    case 'exists':
    case 'empty':
      return lowerTruth(call, resourceType);
    default:
      throw unsupported(call);
  }
}

function lowerWhere(expression: Expression): Step {
  if (isTargetTest(expression)) return { kind: 'target', type: expression.type };
  return { kind: 'where', condition: lowerCondition(expression, '$this') };
}

/** `resolve() is Patient` */
function isTargetTest(expression: Expression): expression is Extract<Expression, { kind: 'type' }> {
  if (expression.kind !== 'type' || expression.operator !== 'is') return false;
  const { base } = expression;
  return base.kind === 'call' && base.name === 'resolve' && base.base === null;
}

function lowerCondition(expression: Expression, resourceType: string): Condition {
  if (expression.kind === 'call') return lowerExistence(expression, resourceType);
  if (expression.kind !== 'binary') throw unsupported(expression);
  const { operator, left, right } = expression;
  if (operator === 'and' || operator === 'or') {
    return {
      kind: operator,
      left: lowerCondition(left, resourceType),
      right: lowerCondition(right, resourceType),
    };
  }
  if ((operator !== '=' && operator !== '!=') || right.kind !== 'literal') throw unsupported(expression);
  return { kind: 'compare', operator, walks: lowerExpression(left, resourceType), literal: right.value };
}

function lowerExistence(call: Extract<Expression, { kind: 'call' }>, resourceType: string): Condition {
  const { name, base } = call;
  if ((name !== 'exists' && name !== 'empty') || !base || call.arguments.length > 0) throw unsupported(call);
  return { kind: name, walks: lowerExpression(base, resourceType) };
}

function hasWalks(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return hasWalks(condition.left) && hasWalks(condition.right);
    default:
      return condition.walks.length > 0;
  }
}

/** An index is known only directly on a member: `entry[0]`. */
function indexed(walk: Walk, index: number): Walk {
  const last = walk.at(-1);
  if (last?.kind !== 'member' || last.index !== null) throw new UnsupportedExpression('index on no member');
  return [...walk.slice(0, -1), { ...last, index }];
}

function extend(walks: readonly Walk[], step: Step): Walk[] {
  return walks.map((walk) => [...walk, step]);
}

function memberStep(name: string): Step {
  return { kind: 'member', name, index: null };
}

function typeArgument(call: Extract<Expression, { kind: 'call' }>): string {
  const argument = onlyArgument(call);
  if (argument.kind === 'name' || argument.kind === 'member') return argument.name;
  throw unsupported(call);
}

function stringArgument(call: Extract<Expression, { kind: 'call' }>): string {
  const argument = onlyArgument(call);
  if (argument.kind === 'literal' && typeof argument.value === 'string') return argument.value;
  throw unsupported(call);
}

function onlyArgument(call: Extract<Expression, { kind: 'call' }>): Expression {
  const [argument, ...others] = call.arguments;
  if (!argument || others.length > 0) throw unsupported(call);
  return argument;
}

function unsupported(expression: Expression): UnsupportedExpression {
  return new UnsupportedExpression(print(expression));
}
