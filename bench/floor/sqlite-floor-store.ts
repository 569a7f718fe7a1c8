import Database, { type Statement } from 'better-sqlite3';
import { FLOOR_COLUMNS, FLOOR_SCHEMA } from './floor-schema.js';
import { FloorIds, type FloorResource, type FloorStore, PARTITION } from './floor-store.js';

interface Pending {
  readonly resource: FloorResource;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** SQLite: prepared statements and group commit. */
export class SqliteFloorStore implements FloorStore {
  private readonly db: Database.Database;
  private readonly inserts: Readonly<Record<keyof typeof FLOOR_COLUMNS, Statement>>;
  private readonly target: Statement;
  private readonly text: Statement;
  private readonly byCode: Statement;
  private readonly ids = new FloorIds();
  private pending: Pending[] = [];

  constructor(file: string) {
    this.db = openDatabase(file);
    this.inserts = Object.fromEntries(
      Object.entries(FLOOR_COLUMNS).map(([table, columns]) => [table, this.prepareInsert(table, columns)]),
    ) as Record<keyof typeof FLOOR_COLUMNS, Statement>;
    const ofResource = 'from RES where PARTITION_ID = ? and RES_TYPE = ? and FHIR_ID = ?';
    this.target = this.db.prepare(`select RES_ID ${ofResource}`).pluck();
    this.text = this.db.prepare(`select RES_TEXT ${ofResource}`).pluck();
    this.byCode = this.db
      .prepare(
        `select r.RES_TEXT from TOK t join RES r on r.RES_ID = t.RES_ID
        where t.PARTITION_ID = ? and t.PARAM_ID = ? and t.VALUE = ? and t.SYS_ID = ? order by t.RES_ID limit ?`,
      )
      .pluck();
  }

  create(resource: FloorResource): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pending.push({ resource, resolve, reject });
      if (this.pending.length === 1) setImmediate(() => this.flush());
    });
  }

  async write(resources: readonly FloorResource[]): Promise<void> {
    this.store(resources);
  }

  read(type: string, id: string): string | undefined {
    return this.text.get(PARTITION, this.ids.of(type), id) as string | undefined;
  }

  search(type: string, token: { readonly system: string; readonly value: string }, count: number): string[] {
    return this.byCode.all(
      PARTITION,
      this.ids.of(`${type} code`),
      token.value,
      this.ids.of(token.system),
      count,
    ) as string[];
  }

  private store(resources: readonly FloorResource[]): void {
    this.db.exec('begin immediate');
    try {
      const rowIds = resources.map((resource) => this.insertResource(resource));
      resources.forEach((resource, index) => this.insertRows(resource, rowIds[index]!));
      this.db.exec('commit');
    } catch (error) {
      this.db.exec('rollback');
      throw error;
    }
  }

  private flush(): void {
    const batch = this.pending;
    this.pending = [];
    try {
      this.store(batch.map(({ resource }) => resource));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private insertResource({ type, id, updated, text }: FloorResource): number {
    const row = this.inserts.RES.run(null, PARTITION, null, this.ids.of(type), id, 1, updated, null, text);
    return Number(row.lastInsertRowid);
  }

  private insertRows({ type, rows }: FloorResource, rowId: number): void {
    const { TOK, STR, DAT, QTY, URI, LNK } = this.inserts;
    const parameter = (name: string) => this.ids.of(`${type} ${name}`);
    for (const [name, value, system] of rows.tokens)
      TOK.run(PARTITION, null, parameter(name), value, this.ids.of(system), rowId);
    for (const [name, normalized, exact] of rows.strings)
      STR.run(PARTITION, null, parameter(name), normalized, exact, rowId);
    for (const [name, low, high] of rows.dates) DAT.run(PARTITION, null, parameter(name), low, high, rowId);
    for (const [name, value, system, code] of rows.quantities) {
      QTY.run(PARTITION, null, parameter(name), value, this.ids.of(system), code, rowId);
    }
    for (const [name, value] of rows.uris) URI.run(PARTITION, null, parameter(name), value, rowId);
    for (const [name, targetType, targetId] of rows.links) {
      const targetTypeId = this.ids.of(targetType);
      const target = this.target.get(PARTITION, targetTypeId, targetId) ?? 0;
      LNK.run(PARTITION, null, parameter(name), target, targetTypeId, rowId);
    }
  }

  private prepareInsert(table: string, columns: number): Statement {
    const places = Array.from({ length: columns }, () => '?').join(', ');
    return this.db.prepare(`insert or ignore into ${table} values (${places})`);
  }
}

function openDatabase(file: string): Database.Database {
  const db = new Database(file);
  db.pragma('page_size = 4096');
  db.pragma('journal_mode = wal');
  db.pragma('synchronous = full');
  db.pragma('wal_autocheckpoint = 16000');
  db.pragma('cache_size = -65536');
  db.pragma('mmap_size = 1073741824');
  db.exec(FLOOR_SCHEMA);
  return db;
}
