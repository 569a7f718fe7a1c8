import pg from 'pg';
import { FloorIds, type FloorResource, type FloorStore, PARTITION } from './floor-store.js';

const CONNECTIONS = 8;
/** Groups of creates that may be on their way at once; what arrives meanwhile is the next group. */
const GROUPS = 3;

/** The columns of the arrays, in the order of the statement's parameters. */
const COLUMNS = {
  res: ['bigint', 'int', 'text', 'bigint', 'text'],
  tok: ['int', 'text', 'int', 'bigint'],
  str: ['int', 'text', 'text', 'bigint'],
  dat: ['int', 'bigint', 'bigint', 'bigint'],
  qty: ['int', 'double precision', 'int', 'text', 'bigint'],
  uri: ['int', 'text', 'bigint'],
  lnk: ['int', 'bigint', 'int', 'text', 'bigint'],
} as const;

type Table = keyof typeof COLUMNS;

const SCHEMA = `
create table RES(RES_ID bigint primary key, PARTITION_ID int, PARTITION_DATE date, RES_TYPE int,
  FHIR_ID text collate "C", RES_VER int, UPDATED bigint, DELETED bigint, RES_TEXT text);
create unique index on RES(PARTITION_ID, RES_TYPE, FHIR_ID);
create index on RES(PARTITION_ID, RES_TYPE, UPDATED);
create table TOK(PARTITION_ID int, PARTITION_DATE date, PARAM_ID int, VALUE text collate "C", SYS_ID int, RES_ID bigint);
create index on TOK(PARTITION_ID, PARAM_ID, VALUE, SYS_ID, RES_ID);
create table STR(PARTITION_ID int, PARTITION_DATE date, PARAM_ID int, NORM text collate "C", EXACT text collate "C",
  RES_ID bigint);
create index on STR(PARTITION_ID, PARAM_ID, NORM, EXACT, RES_ID);
create table DAT(PARTITION_ID int, PARTITION_DATE date, PARAM_ID int, LOW bigint, HIGH bigint, RES_ID bigint);
create index on DAT(PARTITION_ID, PARAM_ID, LOW, HIGH, RES_ID);
create index on DAT(RES_ID, PARAM_ID, LOW, HIGH);
create table QTY(PARTITION_ID int, PARTITION_DATE date, PARAM_ID int, VALUE double precision, SYS_ID int,
  CODE text collate "C", RES_ID bigint);
create index on QTY(PARTITION_ID, PARAM_ID, VALUE, SYS_ID, CODE, RES_ID);
create table URI(PARTITION_ID int, PARTITION_DATE date, PARAM_ID int, VALUE text collate "C", RES_ID bigint);
create index on URI(PARTITION_ID, PARAM_ID, VALUE, RES_ID);
create table LNK(PARTITION_ID int, PARTITION_DATE date, PARAM_ID int, TARGET_ID bigint, TARGET_TYPE int,
  RES_ID bigint);
create index on LNK(PARTITION_ID, PARAM_ID, TARGET_ID, RES_ID);
create index on LNK(RES_ID, PARAM_ID, TARGET_ID);
`;

/** One statement that inserts everything of some resources, from one array for each column. */
const INSERT = insertStatement();

function insertStatement(): string {
  let parameter = 0;
  const rowsOf = (table: Table): string => {
    const arrays = COLUMNS[table].map((type) => `$${++parameter}::${type}[]`).join(', ');
    const names = COLUMNS[table].map((_, column) => `c${column}`).join(', ');
    return `unnest(${arrays}) as a(${names})`;
  };
  const indexRows = (table: Table): string => {
    const names = COLUMNS[table].map((_, column) => `c${column}`).join(', ');
    return `insert into ${table} select ${PARTITION}, null, ${names} from ${rowsOf(table)}`;
  };
  // The names of the parts must be no table's: the last one would read the part instead.
  return `with new_res as (insert into RES select c0, ${PARTITION}, null, c1, c2, 1, c3, null, c4 from ${rowsOf('res')}),
    new_tok as (${indexRows('tok')}), new_str as (${indexRows('str')}), new_dat as (${indexRows('dat')}),
    new_qty as (${indexRows('qty')}), new_uri as (${indexRows('uri')})
    insert into LNK select ${PARTITION}, null, c0, coalesce(nullif(c1, 0), r.RES_ID, 0), c2, c4
    from ${rowsOf('lnk')} left join RES r
      on c1 = 0 and r.PARTITION_ID = ${PARTITION} and r.RES_TYPE = c2 and r.FHIR_ID = c3`;
}

interface Pending {
  readonly resource: FloorResource;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** PostgreSQL: one named statement for each operation, and group commit. */
export class PostgresFloorStore implements FloorStore {
  private readonly ids = new FloorIds();
  private pending: Pending[] = [];
  private groups = 0;
  private lastRowId = 0;

  private constructor(private readonly pool: pg.Pool) {}

  static async open(url: string): Promise<PostgresFloorStore> {
    const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
    await pool.query(SCHEMA);
    return new PostgresFloorStore(pool);
  }

  create(resource: FloorResource): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pending.push({ resource, resolve, reject });
      if (this.pending.length === 1) setImmediate(() => void this.flush());
    });
  }

  async write(resources: readonly FloorResource[]): Promise<void> {
    await this.pool.query({ name: 'insert', text: INSERT, values: [...this.arraysOf(resources)] });
  }

  async read(type: string, id: string): Promise<string | undefined> {
    const text = `select RES_TEXT from RES where PARTITION_ID = ${PARTITION} and RES_TYPE = $1 and FHIR_ID = $2`;
    return (await this.texts({ name: 'read', text, values: [this.ids.of(type), id] }))[0];
  }

  search(
    type: string,
    token: { readonly system: string; readonly value: string },
    count: number,
  ): Promise<readonly string[]> {
    const text = `select r.RES_TEXT from TOK t join RES r on r.RES_ID = t.RES_ID
      where t.PARTITION_ID = ${PARTITION} and t.PARAM_ID = $1 and t.VALUE = $2 and t.SYS_ID = $3
      order by t.RES_ID limit $4`;
    const values = [this.ids.of(`${type} code`), token.value, this.ids.of(token.system), count];
    return this.texts({ name: 'search', text, values });
  }

  private async texts(query: pg.QueryConfig): Promise<readonly string[]> {
    const { rows } = await this.pool.query<[string]>({ ...query, rowMode: 'array' });
    return rows.map(([text]) => text);
  }

  private async flush(): Promise<void> {
    if (this.groups >= GROUPS || this.pending.length === 0) return;
    const group = this.pending;
    this.pending = [];
    this.groups++;
    try {
      await this.write(group.map(({ resource }) => resource));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    this.groups--;
    await this.flush();
  }

  private arraysOf(resources: readonly FloorResource[]): readonly unknown[][] {
    const arrays = new FloorArrays(this.ids);
    for (const resource of resources) arrays.add(resource, ++this.lastRowId);
    return arrays.values();
  }
}

/** Rows turned into columns. */
class FloorArrays {
  private readonly columns: Readonly<Record<Table, unknown[][]>>;
  private readonly rowIds = new Map<string, number>();
  private readonly links: { readonly row: unknown[]; readonly target: string }[] = [];

  constructor(private readonly ids: FloorIds) {
    const entries = Object.entries(COLUMNS).map(([table, types]) => [table, types.map(() => [])]);
    this.columns = Object.fromEntries(entries) as Record<Table, unknown[][]>;
  }

  add({ type, id, updated, text, rows }: FloorResource, rowId: number): void {
    const parameter = (name: string): number => this.ids.of(`${type} ${name}`);
    this.rowIds.set(`${type}/${id}`, rowId);
    this.push('res', [rowId, this.ids.of(type), id, updated, text]);
    for (const [name, value, system] of rows.tokens)
      this.push('tok', [parameter(name), value, this.ids.of(system), rowId]);
    for (const [name, normalized, exact] of rows.strings)
      this.push('str', [parameter(name), normalized, exact, rowId]);
    for (const [name, low, high] of rows.dates) this.push('dat', [parameter(name), low, high, rowId]);
    for (const [name, value, system, code] of rows.quantities)
      this.push('qty', [parameter(name), value, this.ids.of(system), code, rowId]);
    for (const [name, value] of rows.uris) this.push('uri', [parameter(name), value, rowId]);
    for (const [name, targetType, targetId] of rows.links) {
      const row = [parameter(name), 0, this.ids.of(targetType), targetId, rowId];
      this.links.push({ row, target: `${targetType}/${targetId}` });
    }
  }

  /** What is stored by the same statement is not there yet for its join. */
  values(): unknown[][] {
    for (const { row, target } of this.links) this.push('lnk', row.with(1, this.rowIds.get(target) ?? 0));
    return Object.values(this.columns).flat();
  }

  private push(table: Table, row: readonly unknown[]): void {
    row.forEach((value, column) => this.columns[table][column]!.push(value));
  }
}
