/**
 * The part of FHIRPath's grammar (https://hl7.org/fhirpath/N1/grammar.html) that search-parameter expressions
 * use, as a tree.
 */
export type Expression =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'member'; readonly base: Expression; readonly name: string }
  | { readonly kind: 'index'; readonly base: Expression; readonly index: number }
  | {
      readonly kind: 'call';
      readonly base: Expression | null;
      readonly name: string;
      readonly arguments: readonly Expression[];
    }
  | {
      readonly kind: 'type';
      readonly operator: 'is' | 'as';
      readonly base: Expression;
      readonly type: string;
    }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

export type BinaryOperator = '|' | '=' | '!=' | '<' | '>' | '<=' | '>=' | 'and' | 'or';

/**
 * An expression that is not FHIRPath, or uses what this compiler does not know; the message says which. `position`
 * counts characters from 0; undefined where no single one is to blame.
 */
export class UnsupportedExpression extends Error {
  override readonly name = 'UnsupportedExpression';

  constructor(
    message: string,
    readonly position?: number,
  ) {
    super(message);
  }
}

/** The expression as FHIRPath text again, with single spaces and only the parentheses that are needed. */
export function print(expression: Expression): string {
  switch (expression.kind) {
    case 'name':
      return expression.name;
    case 'literal':
      return printLiteral(expression.value);
    case 'member':
      return `${printOperand(expression.base)}.${expression.name}`;
    case 'index':
      return `${printOperand(expression.base)}[${expression.index}]`;
    case 'call':
      return printCall(expression);
    case 'type':
      return `${printOperand(expression.base)} ${expression.operator} ${expression.type}`;
    case 'binary':
      return `${printSide(expression.left)} ${expression.operator} ${printSide(expression.right)}`;
  }
}

/** A literal as FHIRPath text. */
export function printLiteral(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll(/[\\']/g, String.raw`\$&`)}'` : String(value);
}

function printCall({ base, name, arguments: values }: Extract<Expression, { kind: 'call' }>): string {
  const call = `${name}(${values.map(print).join(', ')})`;
  return base ? `${printOperand(base)}.${call}` : call;
}

function printOperand(expression: Expression): string {
  return expression.kind === 'binary' || expression.kind === 'type'
    ? `(${print(expression)})`
    : print(expression);
}

function printSide(expression: Expression): string {
  return expression.kind === 'binary' ? `(${print(expression)})` : print(expression);
}
