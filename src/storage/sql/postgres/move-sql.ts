import { MOVED_COLUMNS } from '../../placement/home.js';

/** Types of the columns that are moved as they are; dates travel as text. */
const COLUMN_TYPES = {
  RES_ID: 'bigint',
  PARTITION_ID: 'integer',
  PARTITION_DATE: 'date',
  RES_TYPE_ID: 'integer',
  FHIR_ID: 'text',
  RES_VER: 'integer',
  RES_UPDATED: 'bigint',
  RES_DELETED_AT: 'bigint',
  RES_TEXT: 'text',
  PARAM_ID: 'integer',
  TARGET_RES_ID: 'bigint',
  TARGET_TYPE_ID: 'integer',
  TARGET_URL: 'text',
  RES_SEARCH_URL: 'text',
  BLOB_ID: 'text',
  CHUNK_NO: 'integer',
  CHUNK_DATA: 'bytea',
  STAGED_AT: 'bigint',
} as const;

export type MovedTable = keyof typeof MOVED_COLUMNS;
export type MovedType = (typeof COLUMN_TYPES)[keyof typeof COLUMN_TYPES];

/** Types of a table's columns, in the order of MOVED_COLUMNS. */
export function movedTypes(table: MovedTable): readonly MovedType[] {
  return MOVED_COLUMNS[table].split(', ').map((name) => COLUMN_TYPES[name as keyof typeof COLUMN_TYPES]);
}

/** Rows as arrays, one for each column. Every row brings its own PARTITION_ID, which row-level security checks. */
function insertSql(table: MovedTable, conflict = ''): string {
  const columns = MOVED_COLUMNS[table].split(', ');
  const types = movedTypes(table);
  const arrays = types.map((type, index) => `$${index + 1}::${type === 'date' ? 'text' : type}[]`);
  const values = columns.map((name, index) => (types[index] === 'date' ? `v.${name}::date` : `v.${name}`));
  return `insert into ${table} (${columns.join(', ')}) select ${values.join(', ')}
    from unnest(${arrays.join(', ')}) v (${columns.join(', ')}) ${conflict}`;
}

const replaced = MOVED_COLUMNS.HFJ_RESOURCE.split(', ')
  .filter((name) => name !== 'RES_ID' && name !== 'PARTITION_ID')
  .map((name) => `${name} = excluded.${name}`);

const MARK = 'r.RES_TYPE_ID, r.FHIR_ID, r.RES_ID, r.RES_VER, r.RES_UPDATED';
const select = (table: MovedTable): string =>
  `select ${MOVED_COLUMNS[table].replaceAll(/\w+/g, 't.$&')} from ${table} t where t.PARTITION_ID = $1`;
const count = (table: string): string => `select count(*) from ${table} t where t.PARTITION_ID = $1`;

/** The SQL of moves between homes; the guard test reads it. */
export const MOVE_SQL = {
  setState: `insert into HFJ_PARTITION (PART_ID, PART_NAME, PART_STATE) values ($1, '#' || $1::integer, $2)
    on conflict (PART_ID) do update set PART_STATE = excluded.PART_STATE`,
  state: `select PART_STATE from HFJ_PARTITION where PART_ID = $1`,
  marks: `select ${MARK} from HFJ_RESOURCE r
    where r.PARTITION_ID = $1 and (r.RES_TYPE_ID, r.FHIR_ID) > ($2::integer, $3::text)
    order by r.RES_TYPE_ID, r.FHIR_ID limit $4`,
  countAfter: `select c.RES_TYPE_ID, max(c.FHIR_ID), count(*) from (
      select r.RES_TYPE_ID, r.FHIR_ID from HFJ_RESOURCE r
      where r.PARTITION_ID = $1 and (r.RES_TYPE_ID, r.FHIR_ID) > ($2::integer, $3::text)
      order by r.RES_TYPE_ID, r.FHIR_ID limit $4) c
    group by c.RES_TYPE_ID order by c.RES_TYPE_ID`,
  changed: `select ${MARK} from HFJ_RESOURCE r
    where r.PARTITION_ID = $1 and r.RES_TYPE_ID = $2 and (r.RES_UPDATED, r.RES_ID) > ($3::bigint, $4::bigint)
    order by r.RES_UPDATED, r.RES_ID limit $5`,
  versions: `select r.RES_ID, r.RES_VER from HFJ_RESOURCE r
    where r.PARTITION_ID = $1 and r.RES_ID = any ($2::bigint[])`,
  resources: `${select('HFJ_RESOURCE')} and t.RES_ID = any ($2::bigint[])`,
  sizesOfType: `select r.FHIR_ID, octet_length(r.RES_TEXT) from HFJ_RESOURCE r
    where r.PARTITION_ID = $1 and r.RES_TYPE_ID = $2 and r.FHIR_ID > $3 order by r.FHIR_ID limit $4`,
  ofType: `select r.RES_ID, r.FHIR_ID, r.RES_VER, r.PARTITION_DATE, r.RES_TEXT from HFJ_RESOURCE r
    where r.PARTITION_ID = $1 and r.RES_TYPE_ID = $2 and r.FHIR_ID > $3 and r.FHIR_ID <= $4 order by r.FHIR_ID`,
  replacedWithin: `select t.RES_ID, t.RES_VER, t.RES_TEXT from HFJ_RES_VER t
    where t.PARTITION_ID = $1 and t.RES_ID = any ($2::bigint[])
      and (t.RES_ID, t.RES_VER) > ($3::bigint, $4::integer) and t.RES_UPDATED >= $5 and t.RES_UPDATED <= $6
      and t.RES_TEXT is not null order by t.RES_ID, t.RES_VER limit $7`,
  links: `${select('HFJ_RES_LINK')} and t.RES_ID = any ($2::bigint[])`,
  claims: `${select('HFJ_RES_SEARCH_URL')} and t.RES_ID = any ($2::bigint[])`,
  superseded: `${select('HFJ_RES_VER')} and t.RES_ID = $2 and t.RES_VER > $3 order by t.RES_VER limit $4`,
  supersededVersions: `select t.RES_ID, max(t.RES_VER) from HFJ_RES_VER t
    where t.PARTITION_ID = $1 and t.RES_ID = any ($2::bigint[]) group by t.RES_ID`,
  chunkKeys: `select t.BLOB_ID, t.CHUNK_NO from HFJ_BINARY_CHUNK t
    where t.PARTITION_ID = $1 and (t.BLOB_ID, t.CHUNK_NO) > ($2::text, $3::integer)
    order by t.BLOB_ID, t.CHUNK_NO limit $4`,
  chunks: `${select('HFJ_BINARY_CHUNK')} and (t.BLOB_ID, t.CHUNK_NO) in
    (select k.BLOB, k.NUMBER from unnest($2::text[], $3::integer[]) k (BLOB, NUMBER))`,
  removeChunks: `delete from HFJ_BINARY_CHUNK t using unnest($2::text[], $3::integer[]) k (BLOB, NUMBER)
    where t.PARTITION_ID = $1 and t.BLOB_ID = k.BLOB and t.CHUNK_NO = k.NUMBER`,
  stages: select('HFJ_BINARY_STAGE'),
  removeStages: `delete from HFJ_BINARY_STAGE t where t.PARTITION_ID = $1`,
  removeLinks: `delete from HFJ_RES_LINK t where t.PARTITION_ID = $1 and t.RES_ID = any ($2::bigint[])`,
  removeClaims: `delete from HFJ_RES_SEARCH_URL t where t.PARTITION_ID = $1 and t.RES_ID = any ($2::bigint[])`,
  addResources: insertSql(
    'HFJ_RESOURCE',
    `on conflict (PARTITION_ID, RES_ID) do update set ${replaced.join(', ')}`,
  ),
  addLinks: insertSql('HFJ_RES_LINK'),
  addClaims: insertSql(
    'HFJ_RES_SEARCH_URL',
    `on conflict (PARTITION_ID, RES_TYPE_ID, RES_SEARCH_URL) do update
      set RES_ID = excluded.RES_ID, PARTITION_DATE = excluded.PARTITION_DATE`,
  ),
  addSuperseded: insertSql('HFJ_RES_VER', 'on conflict do nothing'),
  addChunks: insertSql('HFJ_BINARY_CHUNK', 'on conflict do nothing'),
  addStages: insertSql('HFJ_BINARY_STAGE'),
  dangling: `select count(*) from HFJ_RES_LINK l where l.PARTITION_ID = $1 and l.TARGET_URL = '' and not exists (
    select 1 from HFJ_RESOURCE r where r.RES_ID = l.TARGET_RES_ID and r.PARTITION_ID = any ($2::integer[]))`,
  horizon: `select h.HORIZON from HFJ_PARTITION_HORIZON h where h.PARTITION_ID = $1`,
  raiseHorizon: `insert into HFJ_PARTITION_HORIZON as h (PARTITION_ID, HORIZON) values ($1, $2)
    on conflict (PARTITION_ID) do update set HORIZON = greatest(h.HORIZON, excluded.HORIZON)
      where h.PARTITION_ID = $1`,
  countResources: count('HFJ_RESOURCE'),
  countVersions: count('HFJ_RES_VER'),
  countLinks: count('HFJ_RES_LINK'),
  countClaims: count('HFJ_RES_SEARCH_URL'),
  countChunks: count('HFJ_BINARY_CHUNK'),
} as const;
