import { WORD_MARK } from '../index-rows.js';
import { newParamSets } from './param-set-sql.js';
import { byFhirId } from './read-sql.js';
import { names, Parameters } from './statement-parameters.js';

/**
 * The SQL of writes. Each statement writes any number of resources of one partition and partition date, whose values
 * come as arrays. What stands in the way ends the transaction through BULKHEAD_REFUSE, with the ordinals (from 1) of
 * the changes or references that are to blame. The guard test reads these texts: every alias of a partitioned table
 * has a predicate on PARTITION_ID, or the statement inserts one.
 */

/** Ends the transaction, and tells why. */
export const refuse = (kind: string, ordinals: string): string => `BULKHEAD_REFUSE('${kind}', (${ordinals}))`;
const LIST = "string_agg(n::text, ',')";

/** Refuses where the partition has gone since the request's decision: nothing may be written behind its purge. */
export const IN_SERVICE = `case when $1::integer <> 0
    and not exists (select 1 from HFJ_PARTITION where PART_ID = $1::integer and PART_STATE = 'active')
  then ${refuse('gone', "select ''")} end`;

/** Refuses changes at or before the horizon of the partition, and tells it. `updated`: the times of the changes. */
const notLate = (updated: string): string => `case when exists (select 1 from HFJ_PARTITION_HORIZON h
    where h.PARTITION_ID = $1::integer and h.HORIZON >= any (${updated}))
  then ${refuse('late', 'select h.HORIZON::text from HFJ_PARTITION_HORIZON h where h.PARTITION_ID = $1::integer')} end`;

/** Refuses where what the partition holds is kept, and the writer does not know it: `known` is empty then. */
const keepsUsage = (known: string): string => `case when cardinality(${known}) = 0
    and exists (select 1 from HFJ_PARTITION_USAGE k where k.PARTITION_ID = $1::integer)
  then ${refuse('kept', 'select $1::text')} end`;

/** One index table: the columns between PARAM_ID and RES_ID, the type of each, and how many belong to its key. */
interface ValueTableSql {
  readonly table: string;
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly key: number;
}

export const VALUE_TABLES = {
  token: {
    table: 'HFJ_SPIDX_TOKEN',
    columns: [
      ['SP_VALUE', 'text'],
      ['SYS_ID', 'integer'],
    ],
    key: 2,
  },
  string: {
    table: 'HFJ_SPIDX_STRING',
    columns: [
      ['SP_NORM', 'text'],
      ['SP_EXACT', 'text'],
    ],
    key: 2,
  },
  date: {
    table: 'HFJ_SPIDX_DATE',
    columns: [
      ['SP_LOW', 'bigint'],
      ['SP_HIGH', 'bigint'],
    ],
    key: 2,
  },
  number: { table: 'HFJ_SPIDX_NUMBER', columns: [['SP_VALUE', 'float8']], key: 1 },
  uri: { table: 'HFJ_SPIDX_URI', columns: [['SP_VALUE', 'text']], key: 1 },
  quantity: {
    table: 'HFJ_SPIDX_QUANTITY',
    columns: [
      ['SP_VALUE', 'float8'],
      ['SYS_ID', 'integer'],
      ['SP_CODE', 'text'],
      ['SP_UNIT', 'text'],
      ['SP_CANON_VALUE', 'float8'],
      ['SP_CANON_UNIT', 'text'],
    ],
    key: 4,
  },
  composite: {
    table: 'HFJ_SPIDX_COMPOSITE',
    columns: [
      ['SP_VALUE', 'text'],
      ['SYS_ID', 'integer'],
      ['SP_LOW', 'float8'],
      ['SP_UNIT', 'text'],
      ['SP_ELEMENT', 'integer'],
      ['SP_HIGH', 'float8'],
      ['SP_CANON_UNIT', 'text'],
    ],
    key: 5,
  },
  text: { table: 'HFJ_RES_FULLTEXT', columns: [['SP_WORDS', 'text']], key: 0 },
} as const satisfies Record<string, ValueTableSql>;

export type ValueKind = keyof typeof VALUE_TABLES;

/** In the order in which arrays are given. */
export const VALUE_KINDS = Object.keys(VALUE_TABLES) as readonly ValueKind[];
/** The columns of an index table after partition and date, with their types. */
export function valueColumns(kind: ValueKind): readonly (readonly [string, string])[] {
  return [['PARAM_ID', 'integer'], ...VALUE_TABLES[kind].columns, ['RES_ID', 'bigint']];
}

/** The same columns of rows `v`, as they are stored: words become those of the partition and the type. */
export function storedValues(kind: ValueKind): string {
  return valueColumns(kind)
    .map(([name]) =>
      name === 'SP_WORDS'
        ? `replace(v.SP_WORDS, '${WORD_MARK}', $1::integer || ':' || v.PARAM_ID || ':')::tsvector`
        : `v.${name}`,
    )
    .join(', ');
}

function insertValues(parameters: Parameters): string[] {
  return VALUE_KINDS.map((kind) => {
    const columns = valueColumns(kind);
    return `NEW_${kind} as (insert into ${VALUE_TABLES[kind].table} (PARTITION_ID, PARTITION_DATE, ${names(columns)})
      select $1::integer, $2::date, ${storedValues(kind)} from ${parameters.rows(columns)} v (${names(columns)}))`;
  });
}

/** By whole key; the canonical quantity is none of it. */
function deleteValues(parameters: Parameters): string[] {
  return VALUE_KINDS.map((kind) => {
    const { table, key } = VALUE_TABLES[kind];
    const columns = valueColumns(kind).filter((_, index, all) => index <= key || index === all.length - 1);
    const same = columns.map(([name]) => `t.${name} = v.${name}`).join(' and ');
    return `OLD_${kind} as (delete from ${table} t using ${parameters.rows(columns)} v (${names(columns)})
      where t.PARTITION_ID = $1::integer and ${same})`;
  });
}

/** Parameters: the resources whose present links may lead to what was deleted meanwhile; null: none. */
function findTargets(parameters: Parameters, present: string | null): string {
  const candidates = parameters.rows([
    ['N', 'integer'],
    ['PART', 'integer'],
    ['TYPE', 'integer'],
    ['ID', 'text'],
    ['LOOSE', 'integer'],
  ]);
  const kept =
    present === null
      ? ''
      : ` or exists (select 1 from HFJ_RES_LINK k
          where k.PARTITION_ID = $1::integer and k.RES_ID = any (${present}) and k.TARGET_RES_ID = o.RES_ID)`;
  return `TARGET as materialized (select distinct on (N) N, FOUND from (
      select c.N, c.RANK, r.RES_ID as FOUND, r.RES_DELETED_AT from ${candidates} with ordinality c (N, PART, TYPE, ID, LOOSE, RANK)
      left join lateral (select o.RES_ID, o.RES_DELETED_AT from HFJ_RESOURCE o
        where o.PARTITION_ID = c.PART and o.RES_TYPE_ID = c.TYPE and (o.RES_DELETED_AT is null or c.LOOSE = 1${kept})
          and ${byFhirId('o', 'c.ID')}) r on true) x
    order by N, FOUND is null, RES_DELETED_AT is not null, RANK)`;
}

const LINK_COLUMNS = [
  ['RES_ID', 'bigint'],
  ['PARAM_ID', 'integer'],
  ['KNOWN', 'bigint'],
  ['TYPE', 'integer'],
  ['URL', 'text'],
  ['N', 'integer'],
] as const;

/** Links as they shall be; `N` names a target that was looked for, 0 means that the row id is known. */
function newLinks(parameters: Parameters): string {
  return `LINK as materialized (select l.RES_ID, l.PARAM_ID, coalesce(t.FOUND, l.KNOWN) as TARGET, l.TYPE, l.URL
    from ${parameters.rows(LINK_COLUMNS)} l (${names(LINK_COLUMNS)}) left join TARGET t on t.N = l.N
    where l.N = 0 or t.FOUND is not null)`;
}

const INSERT_LINKS = `insert into HFJ_RES_LINK
  (PARTITION_ID, PARTITION_DATE, PARAM_ID, TARGET_RES_ID, TARGET_TYPE_ID, TARGET_URL, RES_ID)
  select $1::integer, $2::date, l.PARAM_ID, l.TARGET, l.TYPE, l.URL, l.RES_ID from LINK l`;

const SAME_LINK = 'k.PARAM_ID = l.PARAM_ID and k.TARGET_RES_ID = l.TARGET and k.TARGET_URL = l.URL';

function replaceLinks(changed: string): string[] {
  return [
    `OLD_LINK as (delete from HFJ_RES_LINK k where k.PARTITION_ID = $1::integer and k.RES_ID = any (${changed})
      and not exists (select 1 from LINK l where l.RES_ID = k.RES_ID and ${SAME_LINK}))`,
    `NEW_LINK as (${INSERT_LINKS} where not exists (select 1 from HFJ_RES_LINK k
      where k.PARTITION_ID = $1::integer and k.RES_ID = l.RES_ID and ${SAME_LINK}))`,
  ];
}

/** A claim is taken over from those that are named, and from nobody else. */
function takeClaims(parameters: Parameters): string {
  const columns = [
    ['RES_TYPE_ID', 'integer'],
    ['RES_SEARCH_URL', 'text'],
    ['RES_ID', 'bigint'],
  ] as const;
  return `CLAIM as (insert into HFJ_RES_SEARCH_URL as u (PARTITION_ID, PARTITION_DATE, ${names(columns)})
    select $1::integer, $2::date, c.* from ${parameters.rows(columns)} c
    on conflict (PARTITION_ID, RES_TYPE_ID, RES_SEARCH_URL) do update
      set RES_ID = excluded.RES_ID, PARTITION_DATE = excluded.PARTITION_DATE
      where u.PARTITION_ID = $1::integer and (u.RES_ID = excluded.RES_ID or u.RES_ID = any (${parameters.next('bigint')}))
    returning u.RES_TYPE_ID || ' ' || u.RES_SEARCH_URL as RES_ID)`;
}

const TARGETS_FOUND = `case when exists (select 1 from TARGET where FOUND is null)
  then ${refuse('reference', `select ${LIST} from TARGET where FOUND is null`)} end`;

/** Every given id must be among those that the sub-statement returned. */
function allOf(ids: string, returned: string, kind: string): string {
  return `case when (select count(*) from ${returned}) <> cardinality(${ids})
    then ${refuse(
      kind,
      `select ${LIST} from unnest(${ids}) with ordinality u (ID, N)
      where not exists (select 1 from ${returned} g where g.RES_ID = u.ID)`,
    )} end`;
}

function createSql(): string {
  const parameters = new Parameters();
  const resources = parameters.rows([
    ['RES_ID', 'bigint'],
    ['RES_TYPE_ID', 'integer'],
    ['FHIR_ID', 'text'],
    ['RES_UPDATED', 'bigint'],
    ['RES_TEXT', 'text'],
    ['RES_PARAMS_ID', 'integer'],
  ]);
  const parts = [
    `RES as (insert into HFJ_RESOURCE
      (PARTITION_ID, PARTITION_DATE, RES_ID, RES_TYPE_ID, FHIR_ID, RES_UPDATED, RES_TEXT, RES_PARAMS_ID, RES_VER)
      select $1::integer, $2::date, r.*, 1 from ${resources} r on conflict do nothing returning RES_ID)`,
    newParamSets(parameters),
    ...insertValues(parameters),
    findTargets(parameters, null),
    newLinks(parameters),
    `NEW_LINK as (${INSERT_LINKS})`,
    takeClaims(parameters),
  ];
  const claimed = parameters.next('text');
  const known = parameters.next('integer');
  return `with ${parts.join(',\n')}
    select ${IN_SERVICE}, ${notLate('$6::bigint[]')}, ${allOf('$3::bigint[]', 'RES', 'version')}, ${TARGETS_FOUND}, ${allOf(claimed, 'CLAIM', 'claim')},
      ${keepsUsage(known)}`;
}

function replaceSql(): string {
  const parameters = new Parameters();
  const changes = parameters.rows([
    ['RES_ID', 'bigint'],
    ['RES_VER', 'integer'],
    ['RES_UPDATED', 'bigint'],
    ['RES_DELETED_AT', 'bigint'],
    ['RES_TEXT', 'text'],
    ['RES_PARAMS_ID', 'integer'],
  ]);
  const changed = '$3::bigint[]';
  const current = 'r.PARTITION_ID = $1::integer and r.RES_ID = c.RES_ID and r.RES_VER = c.RES_VER';
  const version = `RES_ID, RES_VER, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, FHIR_ID, RES_UPDATED, RES_DELETED_AT, RES_TEXT`;
  const parts = [
    `CHANGE as materialized (select * from ${changes} c
      (RES_ID, RES_VER, RES_UPDATED, RES_DELETED_AT, RES_TEXT, RES_PARAMS_ID))`,
    `OLD as (insert into HFJ_RES_VER (${version})
      select ${version.replaceAll(/\w+/g, 'r.$&')} from CHANGE c join HFJ_RESOURCE r on ${current} on conflict do nothing)`,
    `RES as (update HFJ_RESOURCE r set RES_VER = c.RES_VER + 1, RES_UPDATED = c.RES_UPDATED,
      RES_DELETED_AT = c.RES_DELETED_AT, RES_TEXT = c.RES_TEXT, RES_PARAMS_ID = c.RES_PARAMS_ID
      from CHANGE c where ${current} returning r.RES_ID)`,
    newParamSets(parameters),
    ...deleteValues(parameters),
    ...insertValues(parameters),
    findTargets(parameters, changed),
    newLinks(parameters),
    ...replaceLinks(changed),
    `RELEASED as (delete from HFJ_RES_SEARCH_URL u where u.PARTITION_ID = $1::integer and u.RES_ID in
      (select RES_ID from CHANGE where RES_DELETED_AT is not null))`,
    takeClaims(parameters),
  ];
  const claimed = parameters.next('text');
  const known = parameters.next('integer');
  return `with ${parts.join(',\n')}
    select ${IN_SERVICE}, ${notLate('$5::bigint[]')}, ${allOf(changed, 'RES', 'version')}, ${TARGETS_FOUND}, ${allOf(claimed, 'CLAIM', 'claim')},
      ${keepsUsage(known)}`;
}

/**
 * The paths that a partition has links on, each found by one seek: with them a target's referrers are seeks too. $3: those
 * whose links hold nothing.
 */
const LINK_PATHS = `with recursive P (PARAM_ID) as (
    (select l.PARAM_ID from HFJ_RES_LINK l where l.PARTITION_ID = $1::integer order by l.PARAM_ID limit 1)
    union all
    select (select l.PARAM_ID from HFJ_RES_LINK l where l.PARTITION_ID = $1::integer and l.PARAM_ID > P.PARAM_ID
      order by l.PARAM_ID limit 1) from P where P.PARAM_ID is not null),
  HOLDING as (select PARAM_ID from P where PARAM_ID <> all ($3::integer[]))`;

/** Index rows alone, of resources that came from another home. */
function replaceValuesSql(): string {
  const parameters = new Parameters();
  return `with ${[...deleteValues(parameters), ...insertValues(parameters)].join(',\n')} select 1`;
}

export const WRITE_SQL = {
  replaceValues: replaceValuesSql(),
  create: createSql(),
  replace: replaceSql(),
  /** `resourceIds: 'server'`: ids are one pool over all partitions. $3 types, $4 ids. */
  claimIds: `with CLAIM as (insert into HFJ_RES_ID_CLAIM (RES_TYPE_ID, FHIR_ID, PARTITION_ID, PARTITION_DATE)
      select c.TYPE, c.ID, $1::integer, $2::date from unnest($3::integer[], $4::text[]) c (TYPE, ID)
      on conflict do nothing returning RES_TYPE_ID, FHIR_ID),
    TAKEN as (select c.N from unnest($3::integer[], $4::text[]) with ordinality c (TYPE, ID, N)
      where not exists (select 1 from CLAIM o where o.RES_TYPE_ID = c.TYPE and o.FHIR_ID = c.ID)
        and not exists (select 1 from HFJ_RES_ID_CLAIM o
          where o.PARTITION_ID = $1::integer and o.RES_TYPE_ID = c.TYPE and o.FHIR_ID = c.ID))
    select case when exists (select 1 from TAKEN) then ${refuse('id', `select ${LIST} from TAKEN`)} end`,
  /** $2 row ids of what was deleted. */
  assertUnreferenced: `${LINK_PATHS}
, REFERRED as materialized (select d.N from unnest($2::bigint[]) with ordinality d (ID, N)
      where exists (select 1 from HOLDING h join HFJ_RES_LINK l on l.PARTITION_ID = $1::integer and l.PARAM_ID = h.PARAM_ID
        and l.TARGET_RES_ID = d.ID and l.RES_ID <> d.ID))
    select case when exists (select 1 from REFERRED) then ${refuse('referenced', `select ${LIST} from REFERRED`)} end
`,
  /** $2 row id; the first ten, whatever the paths are that they refer from. */
  referrers: `${LINK_PATHS}
    select r.RES_TYPE_ID, r.FHIR_ID from (select distinct l.RES_ID from HOLDING h, lateral (
        select o.RES_ID from HFJ_RES_LINK o where o.PARTITION_ID = $1::integer and o.PARAM_ID = h.PARAM_ID
          and o.TARGET_RES_ID = $2::bigint and o.TARGET_URL = '' and o.RES_ID <> $2::bigint order by o.RES_ID limit 10) l
      order by l.RES_ID limit 10) k
    join HFJ_RESOURCE r on r.PARTITION_ID = $1::integer and r.RES_ID = k.RES_ID order by k.RES_ID`,
  unstage: 'delete from HFJ_BINARY_STAGE where PARTITION_ID = $1::integer and BLOB_ID = any ($2::text[])',
  claimHolder: `select RES_ID from HFJ_RES_SEARCH_URL
    where PARTITION_ID = $1::integer and RES_TYPE_ID = $2 and RES_SEARCH_URL = $3`,
  takeRowIds: `select nextval('HFJ_RESOURCE_ID')`,
} as const;
