import { printLiteral } from './syntax.js';

/** A constant that an expression compares with. */
export type Literal = string | number | boolean;

/**
 * One step from a value to others. A search-parameter expression is a union of linear walks, each a list of
 * steps that begins at the resource.
 */
export type Step =
  /** The child elements of a name; only the one at `index` where it is not null. */
  | { readonly kind: 'member'; readonly name: string; readonly index: number | null }
  /** Values of the type, or of one that specialises it. */
  | { readonly kind: 'type'; readonly type: string }
  /** References whose target is of the resource type. */
  | { readonly kind: 'target'; readonly type: string }
  /** Values for which the condition holds. */
  | { readonly kind: 'where'; readonly condition: Condition }
  /** One boolean, or nothing where the condition is neither true nor false. */
  | { readonly kind: 'condition'; readonly condition: Condition }
  /** Extensions of the URL. */
  | { readonly kind: 'extension'; readonly url: string };

/** A truth about one value. `walks` begin at that value. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'exists' | 'empty'; readonly walks: readonly Walk[] }
  | {
      readonly kind: 'compare';
      readonly operator: '=' | '!=';
      readonly walks: readonly Walk[];
      readonly literal: Literal;
    };

export type Walk = readonly Step[];

/** The canonical text of a walk, without the resource type: `telecom.where(system='phone').value`. */
export function walkText(walk: Walk): string {
  return walk.map(stepText).join('.');
}

function stepText(step: Step): string {
  switch (step.kind) {
    case 'member':
      return step.index === null ? step.name : `${step.name}[${step.index}]`;
    case 'type':
      return `ofType(${step.type})`;
    case 'target':
      return `where(resolve() is ${step.type})`;
    case 'where':
      return `where(${conditionText(step.condition)})`;
    case 'condition':
      return conditionText(step.condition);
    case 'extension':
      return `extension(${printLiteral(step.url)})`;
  }
}

function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return `${conditionText(condition.left)} ${condition.kind} ${conditionText(condition.right)}`;
    case 'exists':
    case 'empty':
      return `${walksText(condition.walks)}.${condition.kind}()`;
    case 'compare':
      return `${walksText(condition.walks)}${condition.operator}${printLiteral(condition.literal)}`;
  }
}

function walksText(walks: readonly Walk[]): string {
  const text = walks.map(walkText).join(' | ');
  return walks.length === 1 ? text : `(${text})`;
}
