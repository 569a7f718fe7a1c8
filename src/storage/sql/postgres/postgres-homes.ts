import { randomBytes } from 'node:crypto';
import { FhirError } from '../../../model/errors.js';
import type { PartitionId, Placement } from '../../../model/partition.js';
import type { Home, HomeProvider, NewHome, ServiceState } from '../../placement/home.js';
import { PostgresConnections } from './connections.js';
import { failureOf } from './database-error.js';
import { databaseName, databaseOf, LONGEST_NAME, quoted, schemaName, withDatabase } from './home-names.js';
import { MOVE_SQL } from './move-sql.js';
import { postgresHome, type PostgresPlace, type SharedParts } from './postgres-home.js';
import { PostgresPool } from './postgres-pool.js';
import { migratePostgres, schemaState, type SchemaState } from './schema-state.js';

/** Connections of a partition's own database; many of them may be open at once. */
const HOME_POOL_SIZE = 4;
const CONNECT_TIMEOUT_MS = 5_000;
const OWNER_POOL_SIZE = 2;
const MOST_ATTEMPTS = 5;
/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const INSUFFICIENT_PRIVILEGE = '42501';
const OBJECT_IN_USE = '55006';

/** Stand in the names of homes that are not there yet, and of those that are not there any more. */
const COMING = '_new_';
const LEAVING = '_old_';
/** When a home was begun. */
const DRAFT = /_new_([0-9a-z]+)_[0-9a-f]+$/;
/** What is older belongs to nobody; in milliseconds. */
const OLDEST_DRAFT_MS = 600_000;
const UNFINISHED = `select 'schema' as kind, nspname as name from pg_namespace
    where nspname ~ '^bulkhead_pn?[0-9]+_(new|old)_[0-9a-z_]+$' and pg_has_role(nspowner, 'usage')
  union all select 'database', datname from pg_database
    where starts_with(datname, $1) and substr(datname, length($1) + 1) ~ '^n?[0-9]+_new_[0-9a-z_]+$'
      and pg_has_role(datdba, 'usage')`;

/** A schema, or a database, by its name. */
interface Container {
  readonly kind: 'schema' | 'database';
  readonly name: string;
}

/** A schema of the main database, or a database beside it, for each partition. */
export class PostgresHomes implements HomeProvider {
  private readonly main: string;
  private readonly shared: SharedParts;
  /**
   * Homes are put in place while a transaction of the directory is open, and others wait for it: they may have all
   * connections of the server.
   */
  private readonly owner: PostgresPool;

  constructor(
    private readonly pool: PostgresPool,
    shared: SharedParts,
  ) {
    this.main = databaseOf(shared.options.url);
    // Ids that are unique on the whole server are claimed in the main database.
    this.shared = { ...shared, options: { ...shared.options, resourceIds: 'partition' } };
    const { url } = shared.options;
    this.owner = new PostgresPool({ url, poolSize: OWNER_POOL_SIZE, connectTimeoutMs: CONNECT_TIMEOUT_MS });
  }

  /** Lets go of connections that no home has. */
  close(): Promise<void> {
    return this.owner.close();
  }

  refusal(): string | undefined {
    return undefined;
  }

  /** Until it is published it has another name, so that a process that is killed leaves nothing half made. */
  async make(partition: PartitionId, placement: Placement, state: ServiceState): Promise<NewHome> {
    const container = this.containerOf(partition, placement);
    const draft = { ...container, name: draftName(container.name) };
    await this.command(`create ${draft.kind} ${quoted(draft.name)}`);
    let present = draft;
    const discard = (): Promise<void> => this.drop(present);
    try {
      await migratePostgres(this.urlOf(draft), { schema: schemaOf(draft) });
      await this.begin(draft, partition, state);
    } catch (error) {
      await discard();
      throw error;
    }
    return {
      discard,
      publish: async () => {
        await this.drop(container);
        await this.command(`alter ${draft.kind} ${quoted(draft.name)} rename to ${quoted(container.name)}`);
        present = container;
      },
    };
  }

  exists(partition: PartitionId, placement: Placement): Promise<boolean> {
    return this.isThere(this.containerOf(partition, placement));
  }

  async open(partition: PartitionId, placement: Placement): Promise<Home> {
    if (!(await this.exists(partition, placement))) {
      throw new FhirError('UNKNOWN_PARTITION', 'The partition has gone, or its home is missing.');
    }
    const container = this.containerOf(partition, placement);
    const place = this.placeOf(container, partition);
    try {
      const state = await schemaState(place.connections.pool, schemaOf(container));
      if (state !== 'current') throw outdated(partition, state);
      return postgresHome(place, this.shared);
    } catch (error) {
      await place.release();
      throw error;
    }
  }

  remove(partition: PartitionId, placement: Placement): Promise<void> {
    return this.drop(this.containerOf(partition, placement));
  }

  migrate(partition: PartitionId, placement: Placement): Promise<readonly string[]> {
    const container = this.containerOf(partition, placement);
    return migratePostgres(this.urlOf(container), { schema: schemaOf(container) });
  }

  /** Drafts of processes that were killed, those of others are young; and schemas that were not dropped to the end. */
  async sweep(): Promise<void> {
    const oldest = Date.now() - OLDEST_DRAFT_MS;
    for (const { kind, name } of await this.unfinished()) {
      const [, made] = DRAFT.exec(name) ?? [];
      if (made !== undefined && Number.parseInt(made, 36) > oldest) continue;
      await this.command(`drop ${kind} if exists ${quoted(name)} ${kind === 'schema' ? 'cascade' : ''}`);
    }
  }

  private async unfinished(): Promise<readonly Container[]> {
    const prefix = `${this.main}_p`;
    const { rows } = await this.pool.asOwner((client) => client.query<Container>(UNFINISHED, [prefix]));
    return rows;
  }

  private containerOf(partition: PartitionId, placement: Placement): Container {
    return placement === 'schema'
      ? { kind: 'schema', name: schemaName(partition) }
      : { kind: 'database', name: databaseName(this.main, partition) };
  }

  private async isThere({ kind, name }: Container): Promise<boolean> {
    const table = kind === 'schema' ? 'pg_namespace where nspname' : 'pg_database where datname';
    const sql = `select 1 from ${table} = $1`;
    const { rowCount } = await this.owner.asOwner((client) => client.query(sql, [name]));
    return rowCount === 1;
  }

  private urlOf({ kind, name }: Container): string {
    const { url } = this.shared.options;
    return kind === 'schema' ? url : withDatabase(url, name);
  }

  private placeOf(container: Container, partition: PartitionId): PostgresPlace {
    const partitions = async (): Promise<readonly PartitionId[]> => [partition];
    if (container.kind === 'schema') {
      const connections = new PostgresConnections(this.pool, container.name);
      return { connections, partitions, release: async () => undefined };
    }
    const pool = new PostgresPool({
      url: this.urlOf(container),
      poolSize: HOME_POOL_SIZE,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    return { connections: new PostgresConnections(pool), partitions, release: () => pool.close() };
  }

  private async begin(container: Container, partition: PartitionId, state: ServiceState): Promise<void> {
    const { connections, release } = this.placeOf(container, partition);
    try {
      const statement = { text: MOVE_SQL.setState, values: [partition, state] };
      await connections.write([partition], [statement]);
    } finally {
      await release();
    }
  }

  private async drop({ kind, name }: Container): Promise<void> {
    if (kind === 'database') return this.dropDatabase(name);
    if (!(await this.isThere({ kind, name }))) return;
    // Under another name nobody begins to use it any more: whoever does would hold up the drop, or be held up by it.
    const leaving = quoted(`${name}${LEAVING}${randomBytes(4).toString('hex')}`);
    await this.command(`alter schema ${quoted(name)} rename to ${leaving}`);
    await this.command(`drop schema ${leaving} cascade`);
  }

  /** Ends whoever is connected; the server's own vacuum only leaves when it is asked, since it is the superuser's. */
  private async dropDatabase(name: string): Promise<void> {
    const drop = `drop database if exists ${quoted(name)}`;
    try {
      await this.command(`${drop} with (force)`);
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== INSUFFICIENT_PRIVILEGE) throw error;
      await this.command(drop);
    }
  }

  /**
   * Makes, renames and drops stand outside of transactions, and are the owner's. A drop may run into a deadlock with
   * somebody who still reads several of the tables; whoever is refused by it finds nothing left afterwards.
   */
  private async command(sql: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.owner.asOwner((client) => client.query(sql));
        return;
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        const mayRepeat = failureOf(error) === 'again' || code === OBJECT_IN_USE;
        if (!mayRepeat || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }
}

/** Cut where it would be too long, so that its end can be read. */
function draftName(name: string): string {
  const end = `${COMING}${Date.now().toString(36)}_${randomBytes(4).toString('hex')}`;
  return `${name.slice(0, LONGEST_NAME - end.length)}${end}`;
}

function schemaOf({ kind, name }: Container): string | null {
  return kind === 'schema' ? name : null;
}

function outdated(partition: PartitionId, state: SchemaState): FhirError {
  const message =
    state === 'newer'
      ? `The home of partition ${partition} was migrated by a newer version; start that version or a later one.`
      : `The home of partition ${partition} is behind this version: run bulkhead migrate.`;
  return new FhirError('HOME_OUTDATED', message, { headers: { 'Retry-After': '60' } });
}
