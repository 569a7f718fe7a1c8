import { createHash } from 'node:crypto';
import type { Bundle, BundleEntry } from 'fhir/r4.js';
import { get, request } from './move-client.js';
import { CONDITIONAL_COUNT, createConditional } from './move-content.js';
import { WRITTEN } from './move-load.js';
import type { Violations } from './crash-verify.js';

const SEARCHES = [
  'Patient?_count=500',
  'Patient?_sort=family,-birthdate,_id&_count=500',
  'Patient?identifier=urn:x|&active=true&_count=500',
  'Patient?_tag=urn:tags|t1&gender=male&_count=500',
  'Patient?_has:Observation:patient:date=gt2016-01-27&_count=500',
  'Patient?family=moved99&_revinclude=Observation:subject&_count=100',
  'Observation?code=urn:codes|weight&value-quantity=gt39|http://unitsofmeasure.org|Cel&_count=500',
  'Observation?subject:Patient.family=moved123&_include=Observation:subject&_count=100',
  'Observation?date=ge2016-01-20&_sort=-date&_count=500',
  'Observation?date=ge2015&_summary=count',
  'Binary?_count=10',
];

/** Everything that a client can see of a tenant, but what the writers of the campaign write. */
export interface Inventory {
  /** Digests by the URL of the version. */
  readonly versions: ReadonlyMap<string, string>;
  /** Digests of lists, by what was asked for. */
  readonly lists: ReadonlyMap<string, string>;
}

interface Listed {
  readonly type: string;
  readonly id: string;
  readonly resource: BundleEntry['resource'];
  readonly url: string;
}

export async function takeInventory(base: string): Promise<Inventory> {
  const versions = new Map<string, string>();
  const history = createHash('sha256');
  for await (const entry of entriesOf(base, '_history?_count=1000')) {
    const { url, resource } = entry;
    const key = `${url} ${resource?.meta?.versionId ?? `deleted ${versions.size}`}`;
    versions.set(key, digest(JSON.stringify(resource ?? null)));
    history.update(key);
  }
  const lists = new Map([['_history', history.digest('hex')]]);
  for (const search of SEARCHES) lists.set(search, await digestOf(base, search));
  for (let number = 0; number < CONDITIONAL_COUNT; number++) {
    lists.set(`conditional create ${number}`, String(await createConditional(base, number)));
  }
  const binaries = await get<Bundle>(base, 'Binary?_count=10');
  for (const { resource } of binaries.entry ?? []) {
    const path = `Binary/${resource?.id}`;
    const { bytes } = await request(base, 'GET', path, {
      status: 200,
      headers: { accept: 'application/pdf' },
    });
    lists.set(path, digest(bytes));
  }
  return { versions, lists };
}

/** What differs; at most some of it. */
export function compare(before: Inventory, after: Inventory, when: string): Violations {
  const violations: string[] = [];
  for (const kind of ['versions', 'lists'] as const) {
    const [here, there] = [before[kind], after[kind]];
    const keys = new Set([...here.keys(), ...there.keys()]);
    for (const key of keys) {
      if (here.get(key) !== there.get(key))
        violations.push(`${when}: ${key}: ${here.get(key)} ${there.get(key)}`);
    }
  }
  return violations.slice(0, 20);
}

async function digestOf(base: string, search: string): Promise<string> {
  const hash = createHash('sha256');
  let count = 0;
  if (search.includes('_summary=count')) return JSON.stringify((await get<Bundle>(base, search)).total);
  for await (const { url, resource } of entriesOf(base, search)) {
    hash.update(`${url} ${resource?.meta?.versionId}\n`);
    count++;
  }
  return `${count} ${hash.digest('hex')}`;
}

/** All pages. */
async function* entriesOf(base: string, first: string): AsyncIterable<Listed> {
  for (let path: string | undefined = first; path !== undefined;) {
    const page: Bundle = await get<Bundle>(base, path);
    for (const { fullUrl, resource, request: asked } of page.entry ?? []) {
      const url = fullUrl ?? asked?.url ?? '';
      const [type = '', id = ''] = url.split('/').slice(-2);
      if (!id.startsWith(WRITTEN)) yield { url: `${type}/${id}`, type, id, resource };
    }
    path = page.link?.find(({ relation }) => relation === 'next')?.url;
  }
}

function digest(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('base64').slice(0, 16);
}
