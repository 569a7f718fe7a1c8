import type { Resource } from '../model/resource.js';
import { RESOURCE_TYPES } from './r4/resource-types.js';

/** A reference to a resource of this server, which must exist when the resource that holds it is written. */
export interface LiteralReference {
  readonly type: string;
  readonly id: string;
  /** Where it stands, for the error: `Observation.subject`. */
  readonly expression: string;
}

/** What a `Reference.reference` points to (https://hl7.org/fhir/R4/references.html#literal). */
export type ParsedReference =
  | { readonly kind: 'relative'; readonly type: string; readonly id: string; readonly version?: string }
  | {
      readonly kind: 'absolute';
      /** Without the slash before the type. */
      readonly base: string;
      readonly type: string;
      readonly id: string;
      readonly version?: string;
      /** The whole reference. */
      readonly url: string;
    }
  | { readonly kind: 'urn'; readonly urn: string }
  /** To a contained resource; `id` is empty for `#`, the containing resource itself. */
  | { readonly kind: 'fragment'; readonly id: string }
  /** `Patient?identifier=x`, for transactions to resolve (https://hl7.org/fhir/R4/http.html#trules). */
  | { readonly kind: 'conditional'; readonly type: string; readonly query: string }
  | { readonly kind: 'other'; readonly text: string };

const RESOURCE_ID = /^[A-Za-z0-9.-]{1,64}$/;
const RELATIVE = /^([A-Za-z]{1,64})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/([A-Za-z0-9.-]{1,64}))?$/;
const ABSOLUTE =
  /^(https?:\/\/[^\s?#]+)\/([A-Za-z]{1,64}\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?)$/i;
const CONDITIONAL = /^([A-Za-z]{1,64})\?(.+)$/s;

/** Whether the text can be the id of a resource (https://hl7.org/fhir/R4/datatypes.html#id). */
export function isResourceId(text: string): boolean {
  return RESOURCE_ID.test(text);
}

/** Says what a reference points to. Every text has an answer: what is none of the forms is `other`. */
export function parseReference(text: string): ParsedReference {
  if (text.startsWith('#')) return { kind: 'fragment', id: text.slice(1) };
  if (/^urn:/i.test(text)) return { kind: 'urn', urn: text };
  const relative = parseRelative(text);
  if (relative) return { kind: 'relative', ...relative };
  const [, base, path] = ABSOLUTE.exec(text) ?? [];
  const target = path === undefined ? undefined : parseRelative(path);
  if (base !== undefined && target) return { kind: 'absolute', base, ...target, url: text };
  const [, type = '', query = ''] = CONDITIONAL.exec(text) ?? [];
  return RESOURCE_TYPES.has(type) ? { kind: 'conditional', type, query } : { kind: 'other', text };
}

function parseRelative(text: string): { type: string; id: string; version?: string } | undefined {
  const [, type = '', id = '', version] = RELATIVE.exec(text) ?? [];
  if (!RESOURCE_TYPES.has(type)) return undefined;
  return version === undefined ? { type, id } : { type, id, version };
}

/** One `Reference.reference`, for the length of the visit. */
export interface FoundReference {
  /** The Reference that it is the `reference` of. */
  readonly holder: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Where the Reference stands, made when asked for: `Observation.performer[0]`. */
  readonly expression: string;
}

/**
 * Visits every `Reference.reference` of the resource, of what it contains and of all extensions, in order. What the
 * entries of a Bundle refer to is to be found by their full URLs, in the Bundle or at its sender's
 * (https://hl7.org/fhir/R4/bundle.html#references), so that they are passed over.
 */
export function forEachReference(resource: Resource, visit: (found: FoundReference) => void): void {
  const steps: (string | number)[] = [];
  walk(resource, steps, (holder, text) =>
    visit({
      holder,
      text,
      get expression() {
        return toExpression(resource.resourceType, steps);
      },
    }),
  );
}

type Visit = (holder: Readonly<Record<string, unknown>>, text: string) => void;

function walk(value: object, steps: (string | number)[], visit: Visit): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) descend(value[index], index, steps, visit);
    return;
  }
  const holder = value as Readonly<Record<string, unknown>>;
  if (typeof holder.reference === 'string' && isReference(holder, steps)) visit(holder, holder.reference);
  const isBundle = holder.resourceType === 'Bundle';
  for (const key of Object.keys(holder))
    if (!isBundle || key !== 'entry') descend(holder[key], key, steps, visit);
}

function descend(value: unknown, step: string | number, steps: (string | number)[], visit: Visit): void {
  if (typeof value !== 'object' || value === null) return;
  steps.push(step);
  walk(value, steps, visit);
  steps.pop();
}

/**
 * R4 has a plain uri named `reference` in three places besides Reference: DetectedIssue, Immunization.education
 * and Expression, whose `language` is mandatory.
 */
function isReference(
  holder: Readonly<Record<string, unknown>>,
  steps: readonly (string | number)[],
): boolean {
  return !('resourceType' in holder) && !('language' in holder) && steps.at(-2) !== 'education';
}

function toExpression(root: string, steps: readonly (string | number)[]): string {
  return steps.reduce<string>(
    (path, step) => path + (typeof step === 'number' ? `[${step}]` : `.${step}`),
    root,
  );
}

/**
 * The distinct resources of this server that the resource refers to, each with the first place. Absolute
 * references count where they begin with `base` (no trailing slash).
 */
export function collectLiteralReferences(resource: Resource, base?: string): LiteralReference[] {
  const found = new Map<string, LiteralReference>();
  forEachReference(resource, (reference) => {
    const parsed = parseReference(reference.text);
    if (parsed.kind !== 'relative' && !(parsed.kind === 'absolute' && parsed.base === base)) return;
    const { type, id } = parsed;
    const key = `${type}/${id}`;
    if (!found.has(key)) found.set(key, { type, id, expression: reference.expression });
  });
  return [...found.values()];
}
