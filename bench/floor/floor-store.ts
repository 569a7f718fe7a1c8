import Database, { type Statement } from 'better-sqlite3';
import type { FloorRows } from './floor-rows.js';
import { FLOOR_COLUMNS, FLOOR_SCHEMA } from './floor-schema.js';

/** One resource, ready to be stored. */
export interface FloorResource {
  readonly type: string;
  readonly id: string;
  /** Milliseconds since 1970 UTC. */
  readonly updated: number;
  readonly text: string;
  readonly rows: FloorRows;
}

interface Pending {
  readonly resource: FloorResource;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const PARTITION = 1;

/** The least that storing, reading and searching can cost on SQLite: prepared statements and group commit. */
export class FloorStore {
  private readonly db: Database.Database;
  private readonly inserts: Readonly<Record<keyof typeof FLOOR_COLUMNS, Statement>>;
  private readonly target: Statement;
  private readonly text: Statement;
  private readonly byCode: Statement;
  private readonly ids = new Map<string, number>();
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

  /** Stored with all others of the same turn of the event loop: one commit for all. */
  create(resource: FloorResource): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pending.push({ resource, resolve, reject });
      if (this.pending.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Stores all or none. */
  write(resources: readonly FloorResource[]): void {
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

  read(type: string, id: string): string | undefined {
    return this.text.get(PARTITION, this.id(type), id) as string | undefined;
  }

  /** Texts of the first resources with a token. */
  search(type: string, token: { readonly system: string; readonly value: string }, count: number): string[] {
    return this.byCode.all(
      PARTITION,
      this.id(`${type} code`),
      token.value,
      this.id(token.system),
      count,
    ) as string[];
  }

  private flush(): void {
    const batch = this.pending;
    this.pending = [];
    try {
      this.write(batch.map(({ resource }) => resource));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private insertResource({ type, id, updated, text }: FloorResource): number {
    const row = this.inserts.RES.run(null, PARTITION, null, this.id(type), id, 1, updated, null, text);
    return Number(row.lastInsertRowid);
  }

  private insertRows({ type, rows }: FloorResource, rowId: number): void {
    const { TOK, STR, DAT, QTY, URI, LNK } = this.inserts;
    const parameter = (name: string) => this.id(`${type} ${name}`);
    for (const [name, value, system] of rows.tokens)
      TOK.run(PARTITION, null, parameter(name), value, this.id(system), rowId);
    for (const [name, normalized, exact] of rows.strings)
      STR.run(PARTITION, null, parameter(name), normalized, exact, rowId);
    for (const [name, low, high] of rows.dates) DAT.run(PARTITION, null, parameter(name), low, high, rowId);
    for (const [name, value, system, code] of rows.quantities) {
      QTY.run(PARTITION, null, parameter(name), value, this.id(system), code, rowId);
    }
    for (const [name, value] of rows.uris) URI.run(PARTITION, null, parameter(name), value, rowId);
    for (const [name, targetType, targetId] of rows.links) {
      const targetTypeId = this.id(targetType);
      const target = this.target.get(PARTITION, targetTypeId, targetId) ?? 0;
      LNK.run(PARTITION, null, parameter(name), target, targetTypeId, rowId);
    }
  }

  private prepareInsert(table: string, columns: number): Statement {
    const places = Array.from({ length: columns }, () => '?').join(', ');
    return this.db.prepare(`insert or ignore into ${table} values (${places})`);
  }

  /** One dictionary for types, parameters and systems. */
  private id(name: string): number {
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    const id = this.ids.size + 1;
    this.ids.set(name, id);
    return id;
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
