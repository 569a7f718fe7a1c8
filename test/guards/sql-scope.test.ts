import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { quota } from '../../interceptors/quota.js';
import type { PartitionId } from '../../src/model/partition.js';
import { SQL_STATEMENTS } from '../../src/storage/sql/sql-statements.js';
import { PARTITIONED_TABLES, SHARED_TABLES } from '../../src/storage/sql/tables.js';
import type { FhirClient } from '../contract/support/fhir-client.js';
import {
  commonResources,
  foreignResources,
  openWorld,
  store,
  type World,
} from '../contract/isolation/fixtures.js';
import { storeUnderTest } from '../support/test-store.js';
import { useClients } from './client-statements.js';
import { CONTAINED_SEARCHES, CONTAINING } from './contained-searches.js';
import { exportEverything } from './export-statements.js';
import { unscoped } from './sql-aliases.js';

const PATCH = {
  body: '[{"op":"add","path":"/active","value":false}]',
  headers: { 'content-type': 'application/json-patch+json' },
};
const META = {
  resourceType: 'Parameters',
  parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }],
};

/** Every kind of parameter, modifier, chain, include, sort and page. */
const SEARCHES = [
  'Patient',
  'Patient?_id=p1,p2',
  'Patient?_lastUpdated=gt2000-01-01&_tag=urn:tag|same&_security=same&_profile=http://example.org/profile&_source=urn:source',
  'Patient?identifier=urn:mrn|1&family=oka&family:exact=Okafor&family:contains=fo&gender:not=male&birthdate=ge1970',
  'Patient?address:missing=true&family:missing=false&_sort=family,-birthdate,_lastUpdated,_id&_total=accurate',
  'Patient?organization.name=clinic&organization=Organization/o1',
  'Observation?subject=Patient/p1&patient.name=oka&subject:Patient.identifier=urn:mrn|1&patient.birthdate=lt2000',
  'Observation?value-quantity=gt1||kg&date=2024&code:missing=true,false&_count=1',
  'Observation?_include=*&_include=Observation:subject&_summary=count',
  'Observation?_include=Observation:subject&_include=Observation:patient:Patient',
  'Patient?_revinclude=Observation:subject&_revinclude=RiskAssessment:subject&_count=1',
  'RiskAssessment?probability=ap0.5',
  'PlanDefinition?url=http://example.org/plan&url:below=http://example.org',
  'ValueSet?url=http://example.org/vs',
  'Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender,ValueSet/none',
  'Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender&gender:not-in=http://hl7.org/fhir/ValueSet/v2-0001',
  'Patient?gender:below=http://hl7.org/fhir/administrative-gender|male',
  'Patient?_filter=not(family ew "or" or gender ne male) and birthdate co 1970-01-01 and name gt a',
  'Observation?_filter=subject[gender eq male or _id ne p1].name co oka or not(code pr true and subject re Patient/p1)',
  'PlanDefinition?_filter=url ne http://example.org/plan',
  'Observation?_text=canary or x*&_count=1',
  'Patient?_content="oka* clinic" -x&_sort=family&organization._content=clinic',
];

/** What the searches of derived rows, trees, places and lists need in order to have statements. */
const PARTICULAR = [
  { resourceType: 'Location', id: 'site', position: { latitude: 1, longitude: 2 } },
  { resourceType: 'Location', id: 'room', partOf: { reference: 'Location/site' } },
  {
    resourceType: 'List',
    id: 'l',
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: 'Location/room' } }],
  },
  {
    resourceType: 'Condition',
    id: 'c',
    meta: { source: 'http://example.org/in#1' },
    code: { text: 'Headache' },
    subject: { reference: 'Patient/p1/_history/1', identifier: { value: 'x' } },
    onsetRange: { low: { value: 1, system: 'http://unitsofmeasure.org', code: 'a' } },
  },
  {
    resourceType: 'Patient',
    id: 'typed',
    identifier: [{ value: '1', type: { coding: [{ system: 'urn:t', code: 'MR' }] } }],
  },
  {
    resourceType: 'Observation',
    id: 'pressure',
    status: 'final',
    code: { text: 'x' },
    component: [{ code: { coding: [{ code: 'sys' }] }, valueQuantity: { value: 120 } }],
  },
  { resourceType: 'Questionnaire', id: 'q', status: 'active', url: 'http://example.org/q', version: '1.1' },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'r',
    status: 'completed',
    questionnaire: 'http://example.org/q|1.1',
  },
];

const PARTICULAR_SEARCHES = [
  ...CONTAINED_SEARCHES,
  '?_tag=urn:tag|same&_sort=-_lastUpdated&_count=1',
  '?_type=Patient,Observation&_content=okafor&_count=1',
  '?_type=Patient,Observation&_count=1',
  '?_type=Observation,Condition&patient.family=oka&_has:Provenance:target:agent=x&_sort=code',
  'Patient/p1/*?_count=1',
  'Patient/p1/Observation?_include=*',
  'Observation?combo-code-value-quantity=sys$120,sys$gt1|http://unitsofmeasure.org|g&_count=1',
  'Observation?code:missing=false&component-code-value-quantity=sys$120&patient.name=x&_sort=_id',
  'Location?partof:below=site&near=1|2|5',
  'Location?partof:above=room&_list=l,m',
  'Location?near=1|2&name:missing=true',
  'Condition?code:text=head&subject:identifier=x&patient:identifier=x',
  'Condition?subject=Patient/p1/_history/1&onset-age=gt1|http://unitsofmeasure.org|a,3',
  'Condition?_source:below=http://example.org&_source=%231,http://example.org/in%231',
  'Patient?identifier:of-type=urn:t|MR|1&family:text=a b',
  'QuestionnaireResponse?questionnaire.url:below=http://example.org&questionnaire:below=http://example.org/q|1',
  'QuestionnaireResponse?questionnaire:above=http://example.org/q/x,http://example.org/q|1.1.1',
  `Patient?identifier=${Array.from({ length: 20 }, (_, n) => `urn:mrn|${n}`).join()}`,
  `Patient?family=${Array.from({ length: 200 }, (_, n) => `name${n}`).join()}&gender=male`,
];

const READS = [
  'Patient/p1',
  'Patient/p1/_history',
  'Patient/p1/_history/1',
  'Patient/p1/_history/7',
  'Patient/_history?_since=2000-01-01&_count=1',
  'Patient/_history?_at=2100',
  'Patient/p1/_history?_at=2100',
  '_history?_count=2',
  'Patient/p1/$meta',
  'Patient/$meta',
  '$meta',
  'Observation/$lastn?patient=p1',
  'Observation/$stats?subject=Patient/p1&code=x&statistic=count',
  'Patient/p1/$everything?_count=1&start=2000-01-01',
  'Patient/$everything?_since=2000-01-01&_type=Patient,Practitioner',
  'Patient/p1/$validate',
  'metadata',
  'ValueSet/$expand?url=http://example.org/vs',
  'ValueSet/none/$expand',
];

async function readAll(client: FhirClient): Promise<void> {
  for (const path of [...READS, ...SEARCHES, ...PARTICULAR_SEARCHES]) {
    const { body } = await client.get<Bundle>(path);
    const next = body?.link?.find(({ relation }) => relation === 'next')?.url;
    if (next !== undefined) await client.get(next);
  }
}

async function writeAll(client: FhirClient): Promise<void> {
  const patient = { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value: '2' }] };
  const subject = { reference: 'Patient/p1' };
  const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject };
  await client.post('Patient', patient, { 'if-none-exist': 'identifier=urn:mrn|2' });
  await client.post('Patient', patient, { 'if-none-exist': 'identifier=urn:mrn|2' });
  await client.put('Patient?identifier=urn:mrn|2', patient);
  await client.put('Observation/b1', {
    ...observation,
    id: 'b1',
    hasMember: [{ reference: 'Observation/b1' }],
  });
  await client.put('Observation/b1', { ...observation, id: 'b1' });
  await client.send('PATCH', 'Patient/p1', PATCH);
  await client.send('PATCH', 'Patient?identifier=urn:mrn|2', PATCH);
  await client.post('Patient/p1/$meta-add', META);
  await client.post('Patient/p1/$meta-delete', META);
  await client.post('Observation', { ...observation, subject: { reference: 'Patient/nobody' } });
  await client.post('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111',
        resource: patient,
        request: { method: 'POST', url: 'Patient' },
      },
      {
        resource: { ...observation, subject: { reference: 'Patient?identifier=urn:mrn|1' } },
        request: { method: 'POST', url: 'Observation' },
      },
      { request: { method: 'DELETE', url: 'RiskAssessment/r1' } },
      { request: { method: 'GET', url: 'Patient/p1' } },
    ],
  });
  const { headers } = await client.send('POST', 'Binary', {
    body: 'x'.repeat(600_000),
    headers: { 'content-type': 'text/plain' },
  });
  await client.get(headers.get('location') ?? '', { accept: 'text/plain' });
  await client.delete('Patient/p1');
  await client.delete('Observation?subject=Patient/p1');
  await client.delete('PlanDefinition/d1');
  await client.delete('Observation/pressure');
  await client.put('PlanDefinition/d1', { resourceType: 'PlanDefinition', id: 'd1', status: 'draft' });
}

/** From then on writes keep what the partitions hold, within limits. */
async function countUsage({ server: { bulkhead } }: World): Promise<void> {
  bulkhead.hooks.register(quota({ of: () => ({ resources: 1_000_000, bytes: 2 ** 40 }) }));
  for (const id of [1, 2] as PartitionId[]) await bulkhead.parts.usages.count(id);
}

async function purge({ root, server }: World): Promise<void> {
  const parameter = [{ name: 'id', valueInteger: 2 }];
  const body = { resourceType: 'Parameters', parameter };
  await root.post('$partition-management-delete-partition', body);
  await root.post('$partition-management-delete-partition', {
    ...body,
    parameter: [...parameter, { name: 'purge', valueBoolean: true }],
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.stop();
}

/** Tables of the main database alone; HFJ_PARTITION has a likeness beside partitioned tables everywhere. */
const MAIN_TABLES = SHARED_TABLES.filter((table) => table !== 'HFJ_PARTITION');

/** SQLite tells its statements with their values, so that it has more of them. */
const LEAST = { sqlite: 200, postgres: 60 } as const;

/** What stands before the table; words are inserted through a view on SQLite. */
const VERBS = {
  insert: 'insert (?:or \\w+ )?into',
  select: '(?:(?<!delete )from|join)',
  delete: 'delete from',
};

/** Every statement of a session that uses everything, in servers of different settings. */
async function record(): Promise<readonly string[]> {
  const statements = new Set<string>();
  const listen = (text: unknown): void => void statements.add(String(text));
  subscribe(SQL_STATEMENTS.name, listen);
  try {
    for (const settings of [
      {},
      { references: 'any', resourceIds: 'server' },
      { references: 'default', fullText: 'on' },
    ] as const) {
      const world = await openWorld({ settings: { ...settings, exportWorkers: 0 } });
      await store(world.acme, ...commonResources(world.acme));
      await store(world.beta, ...foreignResources(world.beta));
      for (const resource of [...PARTICULAR, CONTAINING])
        await world.acme.client.put(`${resource.resourceType}/${resource.id}`, resource);
      await readAll(world.acme.client);
      await readAll(world.root.tenant('_ALL'));
      await countUsage(world);
      await writeAll(world.acme.client);
      await readAll(world.acme.client);
      await exportEverything(world.server, [1, 2]);
      await useClients(world.server, [1, 2]);
      await purge(world);
    }
  } finally {
    unsubscribe(SQL_STATEMENTS.name, listen);
  }
  return [...statements];
}

test('no statement opens a partitioned table without a predicate on the partition, or beside a dictionary', async (t) => {
  const statements = await record();
  const touching = statements.filter((sql) => PARTITIONED_TABLES.some((table) => sql.includes(table)));
  t.true(touching.length > LEAST[storeUnderTest()], `only ${touching.length} statements were recorded`);
  for (const table of PARTITIONED_TABLES) {
    for (const [verb, words] of Object.entries(VERBS)) {
      const met = touching.some((sql) => new RegExp(`\\b${words} ${table}(?:_NEW)?\\b`, 'i').test(sql));
      if (verb !== 'select' || !/CLAIM|STAGE/.test(table)) t.true(met, `no ${verb} of ${table} was recorded`);
    }
  }
  const allowed = /^(create|alter|drop|pragma|explain|vacuum|analyze)\b/i;
  const wrong = touching.filter((sql) => !allowed.test(sql.trim()) && unscoped(sql).length > 0);
  t.deepEqual(wrong, []);
  const mixed = touching.filter((sql) => MAIN_TABLES.some((table) => new RegExp(`\\b${table}\\b`).test(sql)));
  t.deepEqual(mixed, [], 'partitioned tables must work where the tables of the main database are not');
});

test('the guard sees a table without a predicate, wherever it stands', (t) => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    'select 1 from HFJ_RESOURCE where RES_ID = 1': ['HFJ_RESOURCE'],
    'select 1 from HFJ_RESOURCE r where r.RES_ID = 1': ['r'],
    'select 1 from `HFJ_RESOURCE` as `r` where r.PARTITION_ID = 1 and exists (select 1 from HFJ_RES_LINK l where l.RES_ID = r.RES_ID)':
      ['l'],
    'select 1 from HFJ_RESOURCE r, HFJ_RES_VER v where r.PARTITION_ID = 1': ['v'],
    "delete from HFJ_RES_LINK where RES_ID = 'PARTITION_ID = 1'": ['HFJ_RES_LINK'],
    'update HFJ_RESOURCE set PARTITION_DATE = 1 where RES_ID = 1': ['HFJ_RESOURCE'],
    'insert into HFJ_RES_VER (PARTITION_ID) select PARTITION_ID from HFJ_RESOURCE where RES_ID = 1': [
      'HFJ_RESOURCE',
    ],
    'delete from HFJ_RES_VER where PARTITION_ID = 1 and (RES_ID) in (select RES_ID from HFJ_RES_VER limit 1)':
      ['HFJ_RES_VER', 'HFJ_RES_VER'],
    'with x as (select * from HFJ_SPIDX_TOKEN t) select 1 from x where x.PARTITION_ID = 1': ['t'],
  };
  for (const [sql, aliases] of Object.entries(wrong)) t.deepEqual(unscoped(sql), aliases, sql);
});

test('the guard lets scoped statements and inserts pass', (t) => {
  const right = [
    'select 1 from HFJ_RESOURCE where PARTITION_ID = ? and RES_ID = 1',
    'select 1 from HFJ_RESOURCE as r cross join HFJ_RES_LINK as l where r.PARTITION_ID in (1, 2) and l.PARTITION_ID = r.PARTITION_ID',
    'insert into HFJ_RES_LINK (PARTITION_ID) values (1)',
    'select 1 from HFJ_RES_VER where +PARTITION_ID = 1',
    'select 1 from HFJ_PARTITION',
  ];
  for (const sql of right) t.deepEqual(unscoped(sql), [], sql);
});
