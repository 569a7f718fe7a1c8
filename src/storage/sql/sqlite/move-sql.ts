import { MOVED_COLUMNS } from '../../placement/home.js';

function insertSql(table: keyof typeof MOVED_COLUMNS): string {
  const columns = MOVED_COLUMNS[table];
  const places = columns.split(', ').map(() => '?');
  return `insert or replace into ${table} (${columns}) values (${places.join(', ')})`;
}

function countSql(table: string): string {
  return `select count(*) from ${table} where PARTITION_ID = ?`;
}

const MARK = 'RES_TYPE_ID, FHIR_ID, RES_ID, RES_VER, RES_UPDATED';

/** The SQL of moves between homes; the guard test reads it. Lists of row ids travel as JSON. */
export const MOVE_SQL = {
  setState: `insert into HFJ_PARTITION (PART_ID, PART_NAME, PART_STATE) values (?, ?, ?)
    on conflict (PART_ID) do update set PART_STATE = excluded.PART_STATE`,
  state: `select PART_STATE from HFJ_PARTITION where PART_ID = ?`,
  marks: `select ${MARK} from HFJ_RESOURCE where PARTITION_ID = ? and (RES_TYPE_ID, FHIR_ID) > (?, ?)
    order by RES_TYPE_ID, FHIR_ID limit ?`,
  countAfter: `select RES_TYPE_ID, max(FHIR_ID), count(*) from (
      select RES_TYPE_ID, FHIR_ID from HFJ_RESOURCE where PARTITION_ID = ? and (RES_TYPE_ID, FHIR_ID) > (?, ?)
      order by RES_TYPE_ID, FHIR_ID limit ?)
    group by RES_TYPE_ID order by RES_TYPE_ID`,
  changed: `select ${MARK} from HFJ_RESOURCE
    where PARTITION_ID = ? and RES_TYPE_ID = ? and (RES_UPDATED, RES_ID) > (?, ?)
    order by RES_UPDATED, RES_ID limit ?`,
  versions: `select RES_ID, RES_VER from HFJ_RESOURCE
    where +PARTITION_ID = ? and RES_ID in (select value from json_each(?))`,
  resources: `select ${MOVED_COLUMNS.HFJ_RESOURCE} from HFJ_RESOURCE
    where +PARTITION_ID = ? and RES_ID in (select value from json_each(?))`,
  sizesOfType: `select FHIR_ID, octet_length(RES_TEXT) from HFJ_RESOURCE
    where PARTITION_ID = ? and RES_TYPE_ID = ? and FHIR_ID > ? order by FHIR_ID limit ?`,
  ofType: `select RES_ID, FHIR_ID, RES_VER, PARTITION_DATE, RES_TEXT from HFJ_RESOURCE
    where PARTITION_ID = ? and RES_TYPE_ID = ? and FHIR_ID > ? and FHIR_ID <= ? order by FHIR_ID`,
  replacedWithin: `select RES_ID, RES_VER, RES_TEXT from HFJ_RES_VER
    where +PARTITION_ID = ? and RES_ID in (select value from json_each(?)) and (RES_ID, RES_VER) > (?, ?)
      and RES_UPDATED >= ? and RES_UPDATED <= ? and RES_TEXT is not null order by RES_ID, RES_VER limit ?`,
  links: `select ${MOVED_COLUMNS.HFJ_RES_LINK} from HFJ_RES_LINK
    where +PARTITION_ID = ? and RES_ID in (select value from json_each(?))`,
  claims: `select ${MOVED_COLUMNS.HFJ_RES_SEARCH_URL} from HFJ_RES_SEARCH_URL
    where +PARTITION_ID = ? and RES_ID in (select value from json_each(?))`,
  superseded: `select ${MOVED_COLUMNS.HFJ_RES_VER} from HFJ_RES_VER
    where +PARTITION_ID = ? and RES_ID = ? and RES_VER > ? order by RES_VER limit ?`,
  supersededVersions: `select RES_ID, max(RES_VER) from HFJ_RES_VER
    where +PARTITION_ID = ? and RES_ID in (select value from json_each(?)) group by RES_ID`,
  chunkKeys: `select BLOB_ID, CHUNK_NO from HFJ_BINARY_CHUNK where PARTITION_ID = ? and (BLOB_ID, CHUNK_NO) > (?, ?)
    order by BLOB_ID, CHUNK_NO limit ?`,
  chunk: `select ${MOVED_COLUMNS.HFJ_BINARY_CHUNK} from HFJ_BINARY_CHUNK
    where PARTITION_ID = ? and BLOB_ID = ? and CHUNK_NO = ?`,
  removeChunk: `delete from HFJ_BINARY_CHUNK where PARTITION_ID = ? and BLOB_ID = ? and CHUNK_NO = ?`,
  stages: `select ${MOVED_COLUMNS.HFJ_BINARY_STAGE} from HFJ_BINARY_STAGE where PARTITION_ID = ?`,
  removeStages: `delete from HFJ_BINARY_STAGE where PARTITION_ID = ?`,
  removeResource: `delete from HFJ_RESOURCE where PARTITION_ID = ? and RES_ID = ?`,
  removeLinks: `delete from HFJ_RES_LINK where PARTITION_ID = ? and RES_ID = ?`,
  removeClaims: `delete from HFJ_RES_SEARCH_URL where PARTITION_ID = ? and RES_ID = ?`,
  addResource: insertSql('HFJ_RESOURCE'),
  addLink: insertSql('HFJ_RES_LINK'),
  addClaim: insertSql('HFJ_RES_SEARCH_URL'),
  addSuperseded: insertSql('HFJ_RES_VER'),
  addChunk: insertSql('HFJ_BINARY_CHUNK'),
  addStage: insertSql('HFJ_BINARY_STAGE'),
  horizon: `select h.HORIZON from HFJ_PARTITION_HORIZON h where h.PARTITION_ID = ?`,
  raiseHorizon: `insert into HFJ_PARTITION_HORIZON (PARTITION_ID, HORIZON) values (@partition, @at)
    on conflict (PARTITION_ID) do update set HORIZON = max(HORIZON, excluded.HORIZON)`,
  countResources: countSql('HFJ_RESOURCE'),
  countVersions: countSql('HFJ_RES_VER'),
  countLinks: countSql('HFJ_RES_LINK'),
  countClaims: countSql('HFJ_RES_SEARCH_URL'),
  countChunks: countSql('HFJ_BINARY_CHUNK'),
} as const;
