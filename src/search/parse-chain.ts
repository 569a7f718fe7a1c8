import { isResourceType } from '../fhir/definitions.js';
import type { SearchParameter } from '../fhir/index-values.js';
import { FhirError } from '../model/errors.js';
import { unknownParameter, type ParameterContext } from './parse-context.js';
import { targetsOf } from './parse-reference.js';
import type { ChainTarget, Criterion } from './search-request.js';

/** One link of a chain: `subject`, or `subject:Patient`. */
export interface ChainLink {
  readonly parameter: SearchParameter;
  /** undefined: every type that the parameter may lead to. */
  readonly targetType: string | undefined;
}

/** Reads what remains of a chain for one of the types that it may lead to. */
export type ReadTarget = (type: string, context: ParameterContext) => Criterion;

/**
 * A chain through a reference, https://hl7.org/fhir/R4/search.html#chaining.
 * @throws FhirError UNKNOWN_SEARCH_PARAMETER, LIMIT_EXCEEDED, and what reading the rest throws
 */
export function parseChain(link: ChainLink, context: ParameterContext, read: ReadTarget): Criterion {
  const { parameter, targetType } = link;
  const { name } = context;
  if (parameter.type !== 'reference')
    throw unknownParameter(name, `"${parameter.code}" is no reference to follow.`);
  if (targetType !== undefined && !isResourceType(targetType))
    throw unknownParameter(name, 'a chain takes one resource type as its modifier.');
  const types = targetType === undefined ? targetsOf(parameter) : [targetType];
  if (types.length === 0)
    throw unknownParameter(name, `name the type to follow: ${parameter.code}:Patient.…`);
  const rest = { ...followed(context), mayBeContained: true };
  return { kind: 'chain', parameter, targets: chainTargets(types, (type) => read(type, rest)) };
}

/** The types that know the rest of the chain; where none does, the first one's complaint stands for all. */
function chainTargets(types: readonly string[], read: (type: string) => Criterion): readonly ChainTarget[] {
  const targets: ChainTarget[] = [];
  const refusals: FhirError[] = [];
  for (const type of types) {
    try {
      targets.push({ type, criterion: read(type) });
    } catch (error) {
      // Every further type would only meet the limit again.
      if (!(error instanceof FhirError) || error.code === 'LIMIT_EXCEEDED') throw error;
      refusals.push(error);
    }
  }
  const invalid = refusals.find((refusal) => refusal.code !== 'UNKNOWN_SEARCH_PARAMETER') ?? refusals[0];
  if (targets.length === 0 && invalid) throw invalid;
  return targets;
}

/** The context behind one more reference. @throws FhirError LIMIT_EXCEEDED */
export function followed(context: ParameterContext): ParameterContext {
  if (context.depth > 0) return { ...context, depth: context.depth - 1 };
  throw new FhirError(
    'LIMIT_EXCEEDED',
    `Search parameter "${context.name}" follows more than ${context.limits.maxChain} references.`,
  );
}
