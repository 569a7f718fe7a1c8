/** _explain=true and $search-explain: how a search is answered. For administrators. */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import { assertAdmin } from '../interactions/admin.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import { targetOf } from '../partition/resolver.js';
import type { ExplainedSearch } from '../search/searcher.js';
import type { SearchResult } from '../search/run.js';
import type { ExplainedStatement } from '../storage/search-store.js';
import { assertKnown, readParameters } from './parameters.js';
import { describe } from './partition-explain.js';
import { assertDefaultSelected, isServerLevel } from './partition-management.js';

const EXPLAIN = '_explain';
const KNOWN = ['url', 'tenant', 'header'];
/** Names of indexes as SQLite and PostgreSQL tell them. */
const INDEX =
  /\bUSING (?:COVERING )?INDEX (\w+)|\b[Ss]can (?:Backward )?using (\w+)|Bitmap Index Scan on (\w+)/;
/** The key that a table of SQLite is kept in has no name; the table is told by its alias. */
const OWN_KEY = /\bSEARCH (\w+) USING (?:INTEGER )?PRIMARY KEY\b/;

type Search = (server: ServerParts, request: RequestDetails) => Promise<OutgoingResponse>;

/** The same search, which with `_explain=true` tells how it is answered instead. */
export function explainable(search: Search): Search {
  return (server, request) => {
    const asked = request.parameters.find(([name]) => name === EXPLAIN);
    return asked === undefined ? search(server, request) : explainOwn(server, request, asked[1]);
  };
}

async function explainOwn(
  server: ServerParts,
  request: RequestDetails,
  value: string,
): Promise<OutgoingResponse> {
  assertAdmin(server, request);
  if (!isServerLevel(request))
    throw new FhirError(
      'FORBIDDEN',
      'Under a tenant no search is explained; ask the server: $search-explain.',
    );
  if (value !== 'true') throw new FhirError('INVALID_REQUEST', '_explain is true, or is left out.');
  await assertDefaultSelected(server, request);
  const scope = await server.resolver.resolveRead(request);
  return explain(server, request, { scope, described: request });
}

/** `url` (below the base, such as `Patient?name=x`) is the search, `tenant` and `header` say whose. */
export async function explainDescribed(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  if (!isServerLevel(request))
    throw new FhirError('INVALID_PARTITION', '$search-explain is called on the server or under DEFAULT.');
  await assertDefaultSelected(server, request);
  const parameters = readParameters(request);
  assertKnown(parameters, KNOWN);
  const described = describe(request, parameters);
  if (described.interaction !== 'search-type' && described.interaction !== 'search-system')
    throw new FhirError('INVALID_REQUEST', "The parameter 'url' must be a search.");
  const scope = await server.resolver.resolveReadOf(described, targetOf(described));
  return explain(server, request, { scope, described });
}

interface Asked {
  readonly scope: PartitionScope;
  readonly described: RequestDetails;
}

async function explain(
  server: ServerParts,
  request: RequestDetails,
  { scope, described }: Asked,
): Promise<OutgoingResponse> {
  const { resourceType: type = null, compartment = null } = described;
  const parameters = described.parameters.filter(([name]) => name !== EXPLAIN);
  const search = await server.searcher.parse(scope, described, { type, compartment }, parameters);
  const explained = await server.searcher.explain(scope, search);
  const begin = performance.now();
  const result = await server.searcher.run(scope, search);
  const milliseconds = Number((performance.now() - begin).toFixed(3));
  const partitions = scope.partitions.map((id) => server.directory.byId(id)?.name ?? String(id));
  return resourceResponse(request, {
    resourceType: 'Parameters',
    parameter: [
      ...partitions.map((name) => ({ name: 'partition', valueString: name })),
      ...toParameters(explained),
      ...toCounts(result),
      { name: 'milliseconds', valueDecimal: milliseconds },
    ],
  });
}

function toParameters({ plan, statements }: ExplainedSearch): readonly object[] {
  return [
    { name: 'plan', valueString: JSON.stringify(plan) },
    ...statements.map((statement) => ({ name: 'statement', part: toParts(statement) })),
  ];
}

function toParts({ sql, steps }: ExplainedStatement): readonly object[] {
  const indexes = new Set(steps.flatMap((step) => indexOf(sql, step) ?? []));
  return [
    { name: 'sql', valueString: sql },
    ...steps.map((step) => ({ name: 'step', valueString: step })),
    ...[...indexes].map((index) => ({ name: 'index', valueString: index })),
  ];
}

function indexOf(sql: string, step: string): string | undefined {
  const named = INDEX.exec(step)?.slice(1).find(Boolean);
  if (named !== undefined) return named;
  const [, alias] = OWN_KEY.exec(step) ?? [];
  if (alias === undefined) return undefined;
  const [, table = alias] = new RegExp(`\\b(HFJ_\\w+) (?:as )?${alias}\\b`, 'i').exec(sql) ?? [];
  return `${table} primary key`;
}

function toCounts({ matches, included, total }: SearchResult): readonly object[] {
  return [
    { name: 'matches', valueInteger: matches.length },
    { name: 'included', valueInteger: included.length },
    ...(total === undefined ? [] : [{ name: 'total', valueInteger: total }]),
  ];
}
