import { createRequire } from 'node:module';
import type * as FhirPath from 'fhirpath';
import type { OutcomeIssue, Resource } from '../../model/resource.js';
import type { CompactConstraint } from '../r4/compact.js';
import { TimeSpent, withinTime } from '../time-budget.js';
import { Findings } from './findings.js';
import { walkConstraints, type ConstrainedNode, type Frame } from './walk.js';

/** A resource of more nodes (objects, arrays' values and primitives) than this is not evaluated. */
export const MAX_NODES = 20_000;

/** The sum over all evaluations of the nodes that one may visit; evaluation ends when it is spent. */
export const MAX_STEPS = 500_000;

/** Longest time in milliseconds, should the sum not tell it: a step takes about one microsecond. */
const MAX_MS = 2_000;

type Evaluate = (node: unknown, environment: Frame) => readonly unknown[];
type Sizes = ReadonlyMap<unknown, number>;

const compiled = new Map<string, Evaluate>();

/**
 * Evaluates the invariants of the R4 definitions (https://hl7.org/fhir/R4/conformance-rules.html#constraints) on
 * a resource whose structure is valid, with those of its datatypes and of the resources within it. The severity
 * is the invariant's. At most MAX_ISSUES, errors first. Where MAX_NODES, MAX_STEPS or the time is exceeded, an issue of
 * severity information says that not all of them were evaluated.
 */
export function validateInvariants(resource: Resource): readonly OutcomeIssue[] {
  const findings = new Findings();
  const sizes = new Map<unknown, number>();
  const isSmall = measure(resource, sizes) <= MAX_NODES;
  if (!isSmall || !evaluateInTime(resource, { sizes, findings })) {
    findings.add({
      severity: 'information',
      code: 'too-costly',
      path: '',
      message: 'the resource is too large for all of its invariants to be evaluated',
    });
  }
  return findings.issues();
}

function evaluateInTime(
  resource: Resource,
  state: { readonly sizes: Sizes; readonly findings: Findings },
): boolean {
  // A module must not be ended half loaded.
  engine();
  try {
    return withinTime(MAX_MS, () => evaluateWithin(MAX_STEPS, walkConstraints(resource), state));
  } catch (error) {
    if (error instanceof TimeSpent) return false;
    throw error;
  }
}

function evaluateWithin(
  limit: number,
  nodes: Iterable<ConstrainedNode>,
  { sizes, findings }: { readonly sizes: Sizes; readonly findings: Findings },
): boolean {
  let steps = 0;
  for (const node of nodes) {
    steps += costOf(node, sizes);
    if (steps > limit) return false;
    evaluateNode(node, findings);
  }
  return true;
}

function evaluateNode(node: ConstrainedNode, findings: Findings): void {
  for (const constraint of node.constraints) {
    const { key, human, severity } = constraint;
    const outcome = judge(constraint, node);
    if (outcome === 'broken') {
      findings.add({ severity, code: 'invariant', path: node.path, message: `${key}: ${human}` });
    }
    if (outcome === 'unknown') {
      const message = `invariant ${key} could not be evaluated`;
      findings.add({ severity: 'information', code: 'processing', path: node.path, message });
    }
  }
}

/** An empty result is no proof that the invariant is broken: dates of different precision cannot be compared. */
function judge(
  constraint: CompactConstraint,
  { base, value, frame }: ConstrainedNode,
): 'kept' | 'broken' | 'unknown' {
  try {
    const result = evaluatorOf(constraint.expression, base)(value, frame);
    return result.length > 0 && result[0] === false ? 'broken' : 'kept';
  } catch {
    return 'unknown';
  }
}

function evaluatorOf(expression: string, base: string): Evaluate {
  const key = `${base}|${expression}`;
  const known = compiled.get(key) ?? compile(expression, base);
  compiled.set(key, known);
  return known;
}

/** `as(T)` of a list is an error in FHIRPath; the R4 invariants that say so mean `ofType(T)`. */
function compile(expression: string, base: string): Evaluate {
  const { fhirpath, r4 } = engine();
  const rewritten = expression.replaceAll(/\.as\((\w+)\)/g, '.ofType($1)');
  return fhirpath.compile({ base, expression: rewritten }, r4, { traceFn: () => undefined, async: false });
}

/** Loaded when the first invariant is evaluated: it takes 70 ms. */
function engine(): { readonly fhirpath: typeof FhirPath; readonly r4: FhirPath.Model } {
  const require = createRequire(import.meta.url);
  return { fhirpath: require('fhirpath'), r4: require('fhirpath/fhir-context/r4') };
}

/** Nodes that the constraints of a node may visit: what is below it, and for `descendants()` the whole resource. */
function costOf({ constraints, value, frame }: ConstrainedNode, sizes: Sizes): number {
  const { contained } = frame.resource;
  const whole = (sizes.get(frame.resource) ?? 1) * (Array.isArray(contained) ? contained.length : 1);
  const own = sizes.get(value) ?? 1;
  return constraints.reduce(
    (sum, { expression }) => sum + (expression.includes('descendants()') ? whole : own),
    0,
  );
}

/** Nodes at and below every object. Recursion is bounded, for the structure was found valid. */
function measure(value: unknown, sizes: Map<unknown, number>): number {
  if (typeof value !== 'object' || value === null) return 1;
  const size = Object.values(value).reduce<number>((sum, child) => sum + measure(child, sizes), 1);
  sizes.set(value, size);
  return size;
}
