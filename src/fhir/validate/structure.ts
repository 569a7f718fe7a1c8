import type { OutcomeIssue } from '../../model/resource.js';
import { isResourceType } from '../definitions.js';
import { boundCodes } from './bindings.js';
import * as checks from './checks.js';
import { Findings, quote } from './findings.js';
import { generateCheck, type CheckEnvironment } from './generate.js';
import { PRIMITIVES } from './primitives.js';
import { typeRules } from './rules.js';
import { hasSibling, siblingChecks } from './siblings.js';

const compiled = new Map<string, checks.Check>();

/**
 * Checks a resource against the R4 StructureDefinitions: names, cardinality, datatypes, choices, required
 * bindings, contained resources and those in bundles, narrative. Reference targets of another type are warnings.
 * Never throws, whatever the value is; gives no issue for a valid resource, at most MAX_ISSUES else.
 *
 * The check of each type is generated when the type is first met, which takes some milliseconds.
 */
export function validateStructure(resource: unknown): readonly OutcomeIssue[] {
  const findings = new Findings();
  checkResource(resource, '', findings);
  return findings.issues();
}

/** Names of the types whose checks were generated so far. */
export function compiledTypes(): readonly string[] {
  return [...compiled.keys()];
}

function checkResource(value: unknown, path: string, findings: Findings): void {
  if (!checks.isObject(value, path, findings)) return;
  const type = Object.hasOwn(value, 'resourceType') ? value['resourceType'] : undefined;
  if (typeof type === 'string' && isResourceType(type)) {
    checkOf(type)(value, path === '' ? type : path, findings);
  } else if (type === undefined) {
    findings.error('required', path, 'resourceType is missing; name the type of the resource');
  } else {
    findings.error('not-supported', path, `${quote(type)} is not an R4 resource type; correct resourceType`);
  }
}

function checkOf(type: string): checks.Check {
  const check = compiled.get(type) ?? compile(type);
  compiled.set(type, check);
  return check;
}

function compile(type: string): checks.Check {
  // The text is made from the server's own definitions; nothing of a request comes into it.
  const make = new Function('env', generateCheck(typeRules(type))) as (env: CheckEnvironment) => checks.Check;
  return make(environment());
}

/** What generated code may call. */
function environment(): CheckEnvironment {
  return {
    ...checks,
    checkResource,
    hasSibling,
    siblings: siblingChecks(() => checkOf('Extension')),
    is: Object.fromEntries(Object.entries(PRIMITIVES).map(([name, { accepts }]) => [name, accepts])),
    link: checkOf,
    codes: (valueSet: string) => boundCodes(valueSet),
    targets: (types: readonly string[]) => new Set(types),
  };
}
