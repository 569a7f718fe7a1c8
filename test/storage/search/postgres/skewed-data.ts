import pg from 'pg';
import type { PartitionId } from '../../../../src/model/partition.js';
import type { Dictionary, PathKind } from '../../../../src/storage/sql/dictionary.js';
import { PostgresConnections } from '../../../../src/storage/sql/postgres/connections.js';
import { PostgresPool } from '../../../../src/storage/sql/postgres/postgres-pool.js';
import { createTestDatabase } from '../../../support/test-database.js';

/** Observations by partition: one is most of all, and many are small. */
const OBSERVATIONS: ReadonlyMap<number, number> = new Map([
  [1, 24_000],
  [2, 6_000],
  ...Array.from({ length: 30 }, (_, index) => [index + 3, 100] as const),
]);
export const LARGEST = 1;
export const SMALL = 20;

const TYPES = ['Patient', 'Observation'];
const PATHS = [
  'Patient string name',
  'Patient token gender',
  'Observation token code',
  'Observation token category',
  'Observation date effective',
  'Observation quantity value',
  'Observation reference subject',
  'Observation composite part code',
  'Observation composite part value',
  'Observation composite subject#contained',
  'Patient composite contained',
  'Patient composite contained#string:name',
  'Patient composite contained#reference:link',
  'Patient composite contained#contained:other',
  'Observation token note',
];
const SYSTEMS = ['urn:codes', 'urn:other-codes', 'urn:categories', 'urn:units'];

/** When the first observation was made, and how much later the next one; both in milliseconds. */
export const BEGIN = 1_600_000_000_000;
export const STEP = 60_000;

const param = (name: string): number => PATHS.indexOf(name) + 1;

/** What `fillSkewed` has written, by name. */
export const SKEWED_NAMES: Dictionary = {
  hasMissed: () => false,
  catchUp: async () => false,
  knowTypes: async () => undefined,
  typeId: (type) => TYPES.indexOf(type) + 1 || undefined,
  typeName: (id) => TYPES[id - 1] ?? '',
  pathId: (type: string, kind: PathKind, path: string) => param(`${type} ${kind} ${path}`) || undefined,
  knownTypes: () => TYPES,
  typeIds: () => TYPES.map((_, index) => index + 1),
  pathIds: (kind, type = '') =>
    PATHS.flatMap((path, index) => (path.startsWith(`${type} ${kind} `) ? [index + 1] : [])),
  systemId: (url) => SYSTEMS.indexOf(url) + 1 || undefined,
  findSystems: async () => new Map(),
  systemUrls: async () => new Map(),
};

/** Numbers that look random and are the same each time: 0 up to `below`. */
const spread = (below: string): string => `(n * 7919 + p * 104729) % (${below})`;

/**
 * Each partition has a patient for 50 observations. One code in three is `c0`, the others get rarer up to `c30`;
 * ids of resources of all partitions lie among each other.
 */
/** What every observation has rows on, as sets of paths have it, and what none has. */
const EVERY_MARK = `',${param('Observation token code')},'`;
const NO_MARK = `'${param('Observation token note')},'`;

const FILL: readonly string[] = [
  `create temp table COUNTS as select p::int, c::int from unnest($1::int[], $2::int[]) as x(p, c)`,
  `create temp table PATIENTS as select p, n, row_number() over (order by n, p) as id
    from COUNTS, generate_series(0, greatest(c / 50, 2) - 1) n`,
  `create temp table OBSERVATIONS as select p, n, 100000 + row_number() over (order by n, p) as id,
    floor(31 * power(${spread('997')} / 997.0, 3))::int as code, ${spread('greatest(c / 50, 2)')} as patient
    from COUNTS, generate_series(0, c - 1) n`,
  `insert into HFJ_RESOURCE (RES_ID, PARTITION_ID, RES_TYPE_ID, FHIR_ID, RES_VER, RES_UPDATED, RES_TEXT)
    select id, p, 1, 'p' || n, 1, id, '{"resourceType":"Patient"}' from PATIENTS
    union all select id, p, 2, 'o' || n, 1, id, repeat('{"resourceType":"Observation"}', 20) from OBSERVATIONS`,
  `insert into HFJ_SPIDX_STRING (PARTITION_ID, PARAM_ID, SP_NORM, SP_EXACT, RES_ID)
    select p, ${param('Patient string name')}, 'name' || n, 'Name' || n, id from PATIENTS`,
  `insert into HFJ_SPIDX_TOKEN (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, RES_ID)
    select p, ${param('Patient token gender')}, case n % 2 when 0 then 'male' else 'female' end, 3, id from PATIENTS
    union all select p, ${param('Observation token code')}, 'c' || code, 1, id from OBSERVATIONS
    union all select p, ${param('Observation token code')}, 'c' || code, 2, id from OBSERVATIONS where code < 3
    union all select p, ${param('Observation token category')}, 'k' || code % 2, 3, id from OBSERVATIONS`,
  `insert into HFJ_SPIDX_DATE (PARTITION_ID, PARAM_ID, SP_LOW, SP_HIGH, RES_ID)
    select p, ${param('Observation date effective')}, ${BEGIN} + n * ${STEP}::bigint, ${BEGIN} + n * ${STEP}::bigint, id
    from OBSERVATIONS`,
  `insert into HFJ_SPIDX_QUANTITY
    (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, SP_CODE, SP_UNIT, SP_CANON_VALUE, SP_CANON_UNIT, RES_ID)
    select p, ${param('Observation quantity value')}, ${spread('1000')}, 4, 'mg', 'mg', ${spread('1000')} / 1000.0, 'g', id
    from OBSERVATIONS`,
  `insert into HFJ_SPIDX_COMPOSITE
    (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, SP_ELEMENT, RES_ID)
    select p, ${param('Observation composite part code')}, 'e' || code, 1, 0, '', n % 2, id from OBSERVATIONS
    union all select p, ${param('Observation composite part value')}, 'mg', 4, ${spread('1000')}, 'mg', n % 3, id
    from OBSERVATIONS`,
  // One observation in ten contains the patient that it is about.
  `insert into HFJ_SPIDX_COMPOSITE
    (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, SP_ELEMENT, RES_ID)
    select p, k.PARAM_ID, k.SP_VALUE, 0, 0, '', -1, id from OBSERVATIONS, lateral (values
      (${param('Observation composite subject#contained')}, 'Patient'),
      (${param('Patient composite contained')}, 'p'),
      (${param('Patient composite contained#string:name')}, 'name' || n / 10 % 300),
      (${param('Patient composite contained#reference:link')}, 'Patient/p' || patient)) k (PARAM_ID, SP_VALUE)
    where n % 10 = 0`,
  `insert into HFJ_RES_LINK (PARTITION_ID, PARAM_ID, TARGET_RES_ID, TARGET_TYPE_ID, TARGET_URL, RES_ID)
    select o.p, ${param('Observation reference subject')}, t.id, 1, '', o.id
    from OBSERVATIONS o join PATIENTS t on t.p = o.p and t.n = o.patient`,
  `update HFJ_RESOURCE set RES_PARAMS_ID = 1 where RES_TYPE_ID = 2`,
  // Besides the one set of all observations there are those that none has any more.
  `insert into HFJ_RES_PARAMS (PARTITION_ID, RES_TYPE_ID, RES_PARAMS_ID, SP_PARAMS)
    select p, t, 1, ${EVERY_MARK} from COUNTS, generate_series(1, 2) t
    union all select p, t, n, ${EVERY_MARK} || ${NO_MARK} || n || ',' from COUNTS, generate_series(1, 2) t, generate_series(2, 300) n`,
];

/** A database of more than 200,000 rows, and its end. */
export interface SkewedDatabase {
  readonly connections: PostgresConnections;
  readonly close: () => Promise<void>;
}

export async function openSkewed(): Promise<SkewedDatabase> {
  const database = await createTestDatabase();
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await fillPartitions(owner, OBSERVATIONS);
  await owner.query('vacuum analyze');
  await owner.end();
  const pool = new PostgresPool({ url: database.url, poolSize: 1, connectTimeoutMs: 5_000 });
  const close = async (): Promise<void> => {
    await pool.close();
    await database.drop();
  };
  return { connections: new PostgresConnections(pool), close };
}

/**
 * Writes observations, so many for each partition, and what belongs to them. The owner of the tables sees no rows
 * either: it writes as the server does.
 */
export async function fillPartitions(
  owner: pg.Client,
  observations: ReadonlyMap<number, number>,
): Promise<void> {
  const ids = [...observations.keys()] as PartitionId[];
  const [makeCounts = '', makePatients = '', makeObservations = '', ...inserts] = FILL;
  await owner.query(
    makeCounts.replace('$1', `'{${ids.join()}}'`).replace('$2', `'{${[...observations.values()].join()}}'`),
  );
  await owner.query(makePatients);
  await owner.query(makeObservations);
  await owner.query('grant select on COUNTS, PATIENTS, OBSERVATIONS to bulkhead_app_many');
  await owner.query('begin');
  await owner.query(`set local bulkhead.partitions = '${ids.join()}'`);
  await owner.query('set local role bulkhead_app_many');
  for (const insert of inserts) await owner.query(insert);
  await owner.query('commit');
}
