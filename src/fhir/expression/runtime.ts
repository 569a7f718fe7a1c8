import { parseReference } from '../references.js';

/** What generated code calls. Values are parts of a resource, of which nothing is trusted. */
export interface ExpressionRuntime {
  refersTo(value: unknown, type: string): boolean;
  exists(values: readonly unknown[]): boolean;
  empty(values: readonly unknown[]): boolean;
  compare(values: readonly unknown[], operator: '=' | '!=', literal: unknown): boolean | undefined;
  and(left: boolean | undefined, right: boolean | undefined): boolean | undefined;
  or(left: boolean | undefined, right: boolean | undefined): boolean | undefined;
}

/** Three-valued logic as in https://hl7.org/fhirpath/N1/#boolean-logic; undefined is FHIRPath's empty. */
export const expressionRuntime: ExpressionRuntime = {
  refersTo,
  exists: (values) => values.some(isPresent),
  empty: (values) => !values.some(isPresent),
  compare(values, operator, literal) {
    const present = values.filter(isPresent);
    if (present.length === 0) return undefined;
    const equal = present.length === 1 && present[0] === literal;
    return equal === (operator === '=');
  },
  and(left, right) {
    if (left === false || right === false) return false;
    return left === undefined || right === undefined ? undefined : true;
  },
  or(left, right) {
    if (left === true || right === true) return true;
    return left === undefined || right === undefined ? undefined : false;
  },
};

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/**
 * Whether a Reference or a canonical points to a resource of the type, as told by `Reference.type` or by the
 * reference itself. Nothing is resolved.
 */
export function refersTo(value: unknown, type: string): boolean {
  if (typeof value === 'string') return targetType(value) === type;
  if (typeof value !== 'object' || value === null) return false;
  const { type: stated, reference } = value as { readonly type?: unknown; readonly reference?: unknown };
  return stated === type || (typeof reference === 'string' && targetType(reference) === type);
}

function targetType(text: string): string | undefined {
  const reference = parseReference(text);
  return reference.kind === 'relative' || reference.kind === 'absolute' ? reference.type : undefined;
}
