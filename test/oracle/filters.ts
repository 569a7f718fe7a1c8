/** A filter as the oracle writes it: https://hl7.org/fhir/R4/search_filter.html. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly left: Filter; readonly right: Filter }
  | { readonly kind: 'not'; readonly of: Filter }
  | FilterTest
  | FilterElement;

/** Two tests of one element: `characteristic[code eq x].value eq y`. */
export interface FilterElement {
  readonly kind: 'element';
  readonly name: string;
  /** The composite parameter that asks for the same, and the values of both as it takes them. */
  readonly composite: string;
  readonly value: string;
  readonly inner: ElementPart;
  readonly outer: ElementPart;
}

/** One of the two. */
export interface ElementPart {
  readonly name: string;
  readonly operator: string;
  readonly value: string;
}

/** A test at the end of a path. */
export interface FilterTest {
  readonly kind: 'test';
  /** References that are followed, one after another. */
  readonly path: readonly FilterStep[];
  /** The parameter of what they lead to. */
  readonly code: string;
  readonly operator: string;
  readonly value: string;
}

/** `subject:Patient` or `subject:Patient[filter]`. */
export interface FilterStep {
  readonly code: string;
  readonly type: string;
  readonly filter: Filter | undefined;
}

/** The filter as a client writes it. "and" and "or" go from left to right, so that brackets are for the right side. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const right = printFilter(filter.right);
      const isJoined = filter.right.kind === 'and' || filter.right.kind === 'or';
      return `${printFilter(filter.left)} ${filter.kind} ${isJoined ? `(${right})` : right}`;
    }
    case 'not':
      return `not (${printFilter(filter.of)})`;
    case 'test':
      return `${[...filter.path.map(printStep), filter.code].join('.')} ${filter.operator} ${printValue(filter.value)}`;
    case 'element':
      return `${filter.name}[${printPart(filter.inner)}].${printPart(filter.outer)}`;
  }
}

function printPart({ name, operator, value }: ElementPart): string {
  return `${name} ${operator} ${printValue(value)}`;
}

function printStep({ code, type, filter }: FilterStep): string {
  return `${code}:${type}${filter === undefined ? '' : `[${printFilter(filter)}]`}`;
}

/** Words need no quotes. */
function printValue(value: string): string {
  return /^[\w.:/|-]+$/.test(value) ? value : JSON.stringify(value);
}
