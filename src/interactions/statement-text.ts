import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { ServerParts } from './server-parts.js';
import { PLAIN } from './presentation.js';
import { writeResource } from './show.js';

/** What a statement is made of beside the request's base URL: another object where any of it has changed. */
export interface StatementLayer {
  /** The parameters that hold everywhere, and those of the tenant that asks. */
  readonly shared: object;
  readonly own: object;
  readonly level: 'server' | 'tenant';
}

interface KnownText extends StatementLayer {
  /** What stands between base URLs. */
  readonly parts: readonly string[];
}

/** Most texts of one server, of nearly a megabyte each; tenants without parameters of their own share two. */
const MOST = 8;

/** Those that were asked for last come last. */
const TEXTS = new WeakMap<ServerParts, readonly KnownText[]>();

/** Stands for the base URL; a quotation mark is in no URL. */
const BASE = '"base"';

/**
 * The text of the statement that `make` answers for a base URL, made once for all tenants that have the same parameters
 * in force: their base URLs are all that differs.
 */
export function statementText(
  server: ServerParts,
  { base }: Pick<RequestDetails, 'base'>,
  layer: StatementLayer,
  make: (base: string) => Resource,
): string {
  const texts = TEXTS.get(server) ?? [];
  const known = texts.find((one) => isSame(one, layer)) ?? { ...layer, parts: partsOf(make(BASE)) };
  TEXTS.set(server, [...texts.filter((one) => one !== known), known].slice(-MOST));
  return known.parts.join(inText(base));
}

function isSame(one: StatementLayer, other: StatementLayer): boolean {
  return one.shared === other.shared && one.own === other.own && one.level === other.level;
}

function partsOf(statement: Resource): readonly string[] {
  return writeResource(statement, PLAIN).split(inText(BASE));
}

/** As it stands within a text of JSON. */
function inText(base: string): string {
  return JSON.stringify(base).slice(1, -1);
}
