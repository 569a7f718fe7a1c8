import type { OutcomeIssue, Resource } from '../../model/resource.js';
import { structureDefinitions } from '../definitions.js';
import { errorsFirst, Findings, MAX_ISSUES } from './findings.js';
import { validateInvariants } from './invariants.js';
import { validateStructure } from './structure.js';

/** How much to check. */
export interface ValidationOptions {
  /** `structure` takes microseconds; `full` also evaluates the definitions' invariants, which takes milliseconds. */
  readonly mode: 'structure' | 'full';
  /** Canonical URL of a StructureDefinition to check against, with or without version. */
  readonly profile?: string;
}

/**
 * Checks a resource (https://hl7.org/fhir/R4/validation.html). It is valid where no issue is an error; gives at
 * most MAX_ISSUES, errors first. Invariants are evaluated only on a resource whose structure is right. Never throws.
 */
export function validateResource(resource: unknown, options: ValidationOptions): readonly OutcomeIssue[] {
  const structure = validateStructure(resource);
  const isSound = structure.every(({ severity }) => severity !== 'error');
  const invariants = options.mode === 'full' && isSound ? validateInvariants(resource as Resource) : [];
  const profile = checkProfile(resource, options.profile);
  return errorsFirst([...structure, ...profile, ...invariants]).slice(0, MAX_ISSUES);
}

function checkProfile(resource: unknown, profile: string | undefined): readonly OutcomeIssue[] {
  if (profile === undefined) return [];
  const findings = new Findings();
  const url = profile.split('|', 1)[0];
  const known = [...structureDefinitions().values()].find((structure) => structure.url === url);
  const type = (resource as { readonly resourceType?: unknown } | null | undefined)?.resourceType;
  if (!known) {
    findings.warning(
      'not-found',
      '',
      `profile ${profile} is unknown; only R4's own definitions were checked`,
    );
  } else if (!isOrSpecialises(type, known.type)) {
    findings.error('invalid', '', `profile ${profile} is for ${known.type}, which this resource is not`);
  }
  return findings.issues();
}

function isOrSpecialises(type: unknown, wanted: string): boolean {
  for (let at = type; typeof at === 'string'; at = structureDefinitions().get(at)?.base) {
    if (at === wanted) return true;
  }
  return false;
}
