import type { Resource } from '../model/resource.js';
import { textOf } from './json-parts.js';

/** A value set that nobody wrote: all codes of a system, or a concept and what it subsumes. */
export interface ImplicitValueSet {
  /** URL of the code system. */
  readonly system: string;
  /** Undefined: all codes. */
  readonly root: string | undefined;
}

const MARK = '?fhir_vs';
const SUBSUMED = `${MARK}=isa/`;

/**
 * What the URL of an implicit value set says (https://hl7.org/fhir/R4/snomedct.html#implicit): `…?fhir_vs` and
 * `…?fhir_vs=isa/code`. Undefined for all others, those included that need what only SNOMED CT has.
 */
export function parseImplicit(url: string): ImplicitValueSet | undefined {
  const at = url.indexOf(MARK);
  if (at <= 0) return undefined;
  const [system, rest] = [url.slice(0, at), url.slice(at)];
  if (rest === MARK) return { system, root: undefined };
  const root = rest.startsWith(SUBSUMED) ? rest.slice(SUBSUMED.length) : '';
  return root === '' ? undefined : { system, root };
}

/** The value set as a resource of its own, of the version of the code system. */
export function toImplicitValueSet(url: string, codeSystem: Resource, root?: string): Resource {
  const { version, name, title, status = 'active' } = codeSystem;
  const filter = [{ property: 'concept', op: 'is-a', value: root }];
  return {
    resourceType: 'ValueSet',
    url,
    ...(version === undefined ? {} : { version }),
    ...(name === undefined ? {} : { name }),
    ...(title === undefined ? {} : { title }),
    status,
    compose: {
      include: [
        {
          system: textOf(codeSystem['url']) ?? '',
          ...(version === undefined ? {} : { version }),
          ...(root === undefined ? {} : { filter }),
        },
      ],
    },
  };
}
