import { randomUUID } from 'node:crypto';
import {
  AS_UNUSED,
  type Check,
  compareIds,
  type Finding,
  held,
  leak,
  leakIn,
  notApplicable,
  THEIR_ID,
  type Trial,
  unlessChanged,
} from './check.js';
import { differenceOf, visible } from './heard.js';

/** The names of both tenants. */
interface Names {
  readonly own: string;
  readonly theirs: string;
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Headers that name the other tenant, by what they are. */
const HEADERS: readonly (readonly [number, name: string, headers: (names: Names) => Headers])[] = [
  [14, 'X-Tenant-ID', ({ theirs }) => ({ 'X-Tenant-ID': theirs })],
  [15, 'X-Tenant-ID with both names', ({ own, theirs }) => ({ 'X-Tenant-ID': `${own},${theirs}` })],
  [15, 'X-Tenant-ID twice', ({ own, theirs }) => ({ 'X-Tenant-ID': [own, theirs] })],
  [14, 'X-Tenant-ID with _ALL', () => ({ 'X-Tenant-ID': '_ALL' })],
  [14, 'X-Request-Partition-IDs with a name', ({ theirs }) => ({ 'X-Request-Partition-IDs': theirs })],
  [14, 'X-Request-Partition-IDs with ids', () => ({ 'X-Request-Partition-IDs': '1,2,3,4,5,6,7,8' })],
  [14, 'X-Request-Partition-IDs with _ALL', () => ({ 'X-Request-Partition-IDs': '_ALL' })],
  [14, 'X-Tenant', ({ theirs }) => ({ 'X-Tenant': theirs, 'X-Partition': theirs, Tenant: theirs })],
  [17, 'X-Forwarded-Prefix', ({ theirs }) => ({ 'X-Forwarded-Prefix': `/${theirs}` })],
  [17, 'X-Forwarded-Host', ({ theirs }) => ({ 'X-Forwarded-Host': `${theirs}.example` })],
  [17, 'Forwarded', ({ theirs }) => ({ Forwarded: `host=${theirs}.example` })],
  [17, 'X-Original-URL', ({ theirs }) => ({ 'X-Original-URL': `/fhir/${theirs}/Patient` })],
  [17, 'X-Rewrite-URL', ({ theirs }) => ({ 'X-Rewrite-URL': `/fhir/${theirs}/Patient` })],
  [17, 'X-HTTP-Method-Override', () => ({ 'X-HTTP-Method-Override': 'DELETE' })],
  [13, 'a cookie', ({ theirs }) => ({ Cookie: `tenant=${theirs}; partition=${theirs}` })],
];

/** Paths under the own tenant that lead to the other one for whoever tidies them up too late or twice. */
const WAYS: readonly ((names: Names, id: string) => string)[] = [
  ({ theirs }, id) => `/${theirs}/Patient/${id}`,
  ({ theirs }, id) => `//${theirs}/Patient/${id}`,
  ({ theirs }, id) => `/%2e%2e/${theirs}/Patient/${id}`,
  ({ theirs }, id) => `/..%2f${theirs}%2fPatient%2f${id}`,
  ({ theirs }, id) => `/%252e%252e/${theirs}/Patient/${id}`,
  ({ theirs }, id) => `/..;/${theirs}/Patient/${id}`,
  ({ theirs }, id) => `/..%5c${theirs}%5cPatient%5c${id}`,
  ({ theirs }, id) => `/Patient/..%2f..%2f${theirs}%2fPatient%2f${id}`,
  ({ theirs }, id) => `/Patient/%2e%2e/%2e%2e/${theirs}/Patient/${id}`,
  ({ theirs }, id) => `%2f..%2f${theirs}/Patient/${id}`,
  (_, id) => `/Patient/${id}%00`,
  (_, id) => `/Patient/%20${id}`,
  ({ theirs }, id) => `/Patient/${id}?_tenant=${theirs}&tenant=${theirs}&partition=${theirs}`,
];

/** What is nearly the other tenant's name, or means more than one. */
const NEARLY: readonly ((names: Names) => string)[] = [
  ({ theirs }) => swapped(theirs),
  ({ theirs }) => `${theirs}.`,
  ({ theirs }) => `${theirs}%20`,
  ({ theirs }) => `${theirs}%00`,
  ({ theirs }) => `${theirs};x`,
  ({ theirs }) => theirs.slice(0, -1) || 'x',
  ({ own, theirs }) => `${own},${theirs}`,
  ({ own, theirs }) => `${own}%2C${theirs}`,
  ({ own, theirs }) => `${own}%2F..%2F${theirs}`,
];

/** URLs of entries that leave the tenant that a bundle was sent to. */
const ENTRY_URLS: readonly ((names: Names, theirBase: string, id: string) => string)[] = [
  (_, base, id) => `${base}/Patient/${id}`,
  ({ theirs }, _, id) => `${theirs}/Patient/${id}`,
  ({ theirs }, _, id) => `/${theirs}/Patient/${id}`,
  ({ theirs }, _, id) => `//${theirs}/Patient/${id}`,
  (_, __, id) => `_ALL/Patient/${id}`,
  ({ theirs }, _, id) => `../${theirs}/Patient/${id}`,
  ({ theirs }, _, id) => `Patient/../../${theirs}/Patient/${id}`,
  ({ theirs }, _, id) => `%2e%2e/${theirs}/Patient/${id}`,
  ({ theirs }, _, id) => `${theirs}%2FPatient/${id}`,
  ({ theirs }, _, id) => `..\\${theirs}\\Patient\\${id}`,
];

const TOLD: Names = { own: '<own>', theirs: '<them>' };

function namesOf({ attacker, owner }: Trial): Names {
  return { own: attacker.name, theirs: owner.name };
}

/** Headers that name somebody else than URL or token do. */
export function headerChecks(): readonly Check[] {
  return HEADERS.map(([number, name, headers]) => ({
    attack: `the header ${name}`,
    number,
    asked: `GET Patient/${THEIR_ID}`,
    expected: AS_UNUSED,
    run: (trial) =>
      unlessChanged(trial, trial.foreignId, () =>
        compareIds(trial, (id) => ({
          method: 'GET',
          path: `Patient/${id}`,
          headers: headers(namesOf(trial)),
        })),
      ),
  }));
}

/** Ways out of the own URL, and names that nobody has. */
export function pathChecks(): readonly Check[] {
  const ways = WAYS.map<Check>((way) => ({
    attack: 'a way out of the own URL',
    number: 20,
    asked: `GET <own>${way(TOLD, THEIR_ID)}`,
    expected: AS_UNUSED,
    run: (trial) =>
      compareIds(trial, (id) => ({
        method: 'GET',
        path: `${trial.attacker.identity.prefix}${way(namesOf(trial), id)}`,
      })),
  }));
  const names = NEARLY.map<Check>((nearly) => ({
    attack: 'a name that is nearly theirs',
    number: 16,
    asked: `GET /${nearly(TOLD)}/Patient/${THEIR_ID}`,
    expected: AS_UNUSED,
    run: (trial) =>
      compareIds(trial, (id) => ({ method: 'GET', path: `/${nearly(namesOf(trial))}/Patient/${id}` })),
  }));
  return [...ways, ...names];
}

/** Entries of batches and transactions that name the other tenant. */
export function entryUrlChecks(): readonly Check[] {
  return ENTRY_URLS.flatMap((url) =>
    ['GET', 'DELETE', 'PUT'].map<Check>((method) => ({
      attack: 'the URL of an entry',
      number: 53,
      asked: `batch: ${method} ${url(TOLD, '<their base>', THEIR_ID)}`,
      expected: `${AS_UNUSED}, and theirs unchanged`,
      run: (trial) => unlessChanged(trial, trial.foreignId, () => compareEntries(trial, method, url)),
    })),
  );
}

function compareEntries(
  trial: Trial,
  method: string,
  url: (names: Names, theirBase: string, id: string) => string,
): Promise<Finding> {
  return compareIds(trial, (id) => {
    const request = { method, url: url(namesOf(trial), trial.owner.base, id) };
    const entry = method === 'PUT' ? { resource: { resourceType: 'Patient', id }, request } : { request };
    return { method: 'POST', path: '', body: { resourceType: 'Bundle', type: 'batch', entry: [entry] } };
  });
}

/** What a token is shown for that is not for this tenant, by method, path and body. */
const AT_THEM: readonly (readonly [string, string, object?])[] = [
  ['GET', `/Patient/${THEIR_ID}`],
  ['HEAD', `/Patient/${THEIR_ID}`],
  ['GET', `/Patient/${THEIR_ID}/_history`],
  ['GET', `/Patient?_id=${THEIR_ID}`],
  ['GET', '/_history'],
  ['GET', `/Patient/${THEIR_ID}/$everything`],
  ['GET', '/metadata'],
  ['GET', '/$export'],
  ['PUT', `/Patient/${THEIR_ID}`, { resourceType: 'Patient', id: THEIR_ID, gender: 'male' }],
  ['POST', '/Patient', { resourceType: 'Patient', gender: 'male' }],
  ['DELETE', `/Patient/${THEIR_ID}`],
  [
    'POST',
    '',
    { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: 'Patient' } }] },
  ],
];

/** The own token under the other tenant's URL, or under none. */
export function tokenChecks(): readonly Check[] {
  const atThem = AT_THEM.map<Check>(([method, path, body]) => ({
    attack: "the own token under the other one's URL",
    number: 13,
    asked: `${method} /<them>${path}`,
    expected: 'as for a tenant that does not exist',
    run: (trial) =>
      withTokens(trial, () =>
        unlessChanged(trial, trial.foreignId, () => compareTenants(trial, method, { path, body })),
      ),
  }));
  const elsewhere = ['/_ALL', ''].flatMap((place) =>
    [`/Patient/${THEIR_ID}`, `/Patient?_id=${THEIR_ID}`].map<Check>((path) => ({
      attack: place === '' ? 'no tenant at all' : 'all tenants',
      number: 18,
      asked: `GET ${place}${path}`,
      expected: AS_UNUSED,
      run: (trial) =>
        withTokens(trial, () =>
          compareIds(trial, (id) => ({ method: 'GET', path: `${place}${path.replace(THEIR_ID, id)}` })),
        ),
    })),
  );
  return [...atThem, ...elsewhere, noTokenCheck()];
}

function withTokens({ hasTokens }: Trial, attempt: () => Promise<Finding>): Promise<Finding> {
  return hasTokens
    ? attempt()
    : Promise.resolve(notApplicable('no tokens were given: whoever knows a URL is let in'));
}

async function compareTenants(
  trial: Trial,
  method: string,
  { path, body }: { readonly path: string; readonly body: object | undefined },
): Promise<Finding> {
  const { attacker, owner, foreignId } = trial;
  const nobody = `nobody-${randomUUID()}`;
  const ask = (tenant: string) => ({
    method,
    path: `/${tenant}${path.replace(THEIR_ID, foreignId)}`,
    ...(body === undefined
      ? {}
      : { body: JSON.parse(JSON.stringify(body).replaceAll(THEIR_ID, foreignId)) as object }),
  });
  const theirs = await attacker.ask(ask(owner.name));
  const told = leakIn(theirs, trial);
  if (told) return told;
  const difference = differenceOf(
    visible(theirs, owner.name),
    visible(await attacker.ask(ask(nobody)), nobody),
  );
  const isOpen = path === '/metadata';
  if (!isOpen && theirs.status < 400) return leak(`${theirs.status}: the token is taken there`);
  return difference === undefined || isOpen ? held(`${theirs.status}`) : leak(difference);
}

function noTokenCheck(): Check {
  return {
    attack: 'no token',
    number: 18,
    asked: `GET /<them>/Patient/${THEIR_ID}`,
    expected: '401',
    run: (trial) =>
      withTokens(trial, async () => {
        const { owner, foreignId } = trial;
        const answer = await owner.askAsNobody({ method: 'GET', path: `Patient/${foreignId}` });
        return (
          leakIn(answer, trial) ??
          (answer.status >= 400 ? held(`${answer.status}`) : leak(`${answer.status}`))
        );
      }),
  };
}

/** In the other case, where there is one. */
function swapped(name: string): string {
  const swap = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
  return swap === name ? `${name}x` : swap;
}
