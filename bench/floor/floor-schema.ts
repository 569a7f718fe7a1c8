/** The leanest schema that can answer what the server answers, PARTITION_ID first everywhere. */
export const FLOOR_SCHEMA = `
create table RES(RES_ID integer primary key, PARTITION_ID int, PARTITION_DATE int, RES_TYPE int, FHIR_ID text,
  RES_VER int, UPDATED int, DELETED int, RES_TEXT text);
create unique index RES_U on RES(PARTITION_ID, RES_TYPE, FHIR_ID);
create index RES_UPD on RES(PARTITION_ID, RES_TYPE, UPDATED);
create table TOK(PARTITION_ID int, PARTITION_DATE int, PARAM_ID int, VALUE text, SYS_ID int, RES_ID int,
  primary key(PARTITION_ID, PARAM_ID, VALUE, SYS_ID, RES_ID)) without rowid;
create table STR(PARTITION_ID int, PARTITION_DATE int, PARAM_ID int, NORM text, EXACT text, RES_ID int,
  primary key(PARTITION_ID, PARAM_ID, NORM, EXACT, RES_ID)) without rowid;
create table DAT(PARTITION_ID int, PARTITION_DATE int, PARAM_ID int, LOW int, HIGH int, RES_ID int,
  primary key(PARTITION_ID, PARAM_ID, LOW, HIGH, RES_ID)) without rowid;
create index DAT_R on DAT(RES_ID, PARAM_ID, LOW, HIGH);
create table QTY(PARTITION_ID int, PARTITION_DATE int, PARAM_ID int, VALUE real, SYS_ID int, CODE text, RES_ID int,
  primary key(PARTITION_ID, PARAM_ID, VALUE, SYS_ID, CODE, RES_ID)) without rowid;
create table URI(PARTITION_ID int, PARTITION_DATE int, PARAM_ID int, VALUE text, RES_ID int,
  primary key(PARTITION_ID, PARAM_ID, VALUE, RES_ID)) without rowid;
create table LNK(PARTITION_ID int, PARTITION_DATE int, PARAM_ID int, TARGET_ID int, TARGET_TYPE int, RES_ID int,
  primary key(PARTITION_ID, PARAM_ID, TARGET_ID, RES_ID)) without rowid;
create index LNK_R on LNK(RES_ID, PARAM_ID, TARGET_ID);
`;

/** Columns of each table, for its insert. */
export const FLOOR_COLUMNS = { RES: 9, TOK: 6, STR: 6, DAT: 6, QTY: 7, URI: 5, LNK: 6 } as const;
