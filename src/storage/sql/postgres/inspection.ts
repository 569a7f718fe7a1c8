import pg from 'pg';
import { APPLICATION_ROLE, SEVERAL_PARTITIONS_ROLE } from './prologue.js';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;

/** The server, and the login that it was asked with. */
export interface ServerFacts {
  readonly version: string;
  /** 150004 for 15.4. */
  readonly versionNumber: number;
  readonly encoding: string;
  readonly readOnly: boolean;
  readonly maxConnections: number;
  readonly usedConnections: number;
  /** Settings that are off, though a crash then loses what was acknowledged. */
  readonly unsafe: readonly string[];
  readonly login: string;
  /** What the login is beyond what the server needs: superuser, bypassrls. */
  readonly excess: readonly string[];
  readonly mayCreateRoles: boolean;
  readonly mayCreateTables: boolean;
}

/** One of the roles in which transactions run. */
export interface RoleFacts {
  readonly name: string;
  readonly exists: boolean;
  /** What it must not be: superuser, bypassrls, login, or the owner of something. */
  readonly excess: readonly string[];
  /** Whether the login may take it on. */
  readonly settable: boolean;
}

/** A table with PARTITION_ID. */
export interface TableFacts {
  readonly name: string;
  readonly secured: boolean;
  readonly forced: boolean;
  /** Whether rows are reached through a parent table, whose policies then count. */
  readonly isChild: boolean;
  /** Whether the roles of the server may use it. */
  readonly granted: boolean;
  /** Roles of its policies, one for each policy and role. */
  readonly policies: readonly string[];
}

/** A partition as the directory has it. */
export interface PlaceFacts {
  readonly id: number;
  readonly placement: 'shared' | 'schema' | 'database';
  readonly state: string;
}

/** A connection of its own on which a database is looked at. Nothing is changed. */
export class DatabaseInspection {
  private constructor(readonly client: pg.Client) {}

  /** @throws Error as pg has it, where the database cannot be reached */
  static async open(url: string): Promise<DatabaseInspection> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      application_name: 'bulkhead doctor',
    });
    // A connection that breaks is told by the query that it breaks.
    client.on('error', () => undefined);
    await client.connect();
    return new DatabaseInspection(client);
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  async server(): Promise<ServerFacts> {
    const { rows } = await this.client.query<ServerFacts>(SERVER);
    return rows[0]!;
  }

  async roles(): Promise<readonly RoleFacts[]> {
    const { rows } = await this.client.query<RoleFacts>(ROLES, [[APPLICATION_ROLE, SEVERAL_PARTITIONS_ROLE]]);
    return rows;
  }

  /** Names of the migrations of a schema, null for the login's own; undefined where there are none at all. */
  async migrations(schema: string | null): Promise<readonly string[] | undefined> {
    const table = `${schema === null ? '' : `${schema}.`}hfj_migration`;
    const { rows: found } = await this.client.query<{ oid: string | null }>(
      'select to_regclass($1)::text as oid',
      [table],
    );
    if (found[0]?.oid === null) return undefined;
    const { rows } = await this.client.query<{ name: string }>(`select name from ${table} order by id`);
    return rows.map(({ name }) => name);
  }

  async places(): Promise<readonly PlaceFacts[]> {
    const { rows } = await this.client.query<PlaceFacts>(
      `select PART_ID as id, PART_PLACEMENT as placement, PART_STATE as state from HFJ_PARTITION
        where PART_STATE <> 'deleted' order by 1`,
    );
    return rows;
  }

  /** Every table of a schema, null for the login's own, that holds something of a resource. */
  async tables(schema: string | null): Promise<readonly TableFacts[]> {
    const { rows } = await this.client.query<TableFacts>(TABLES, [
      schema,
      [APPLICATION_ROLE, SEVERAL_PARTITIONS_ROLE],
    ]);
    return rows;
  }
}

const SERVER = `select current_setting('server_version') as version,
    current_setting('server_version_num')::integer as "versionNumber",
    (select pg_encoding_to_char(encoding) from pg_database where datname = current_database()) as encoding,
    pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as "readOnly",
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
      as "maxConnections",
    (select count(*)::integer from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid())
      as "usedConnections",
    array(select s from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) s
      where current_setting(s) = 'off') as unsafe,
    rolname as login,
    array_remove(array[case when rolsuper then 'a superuser' end,
      case when rolbypassrls then 'allowed to bypass row-level security' end], null) as excess,
    rolcreaterole or rolsuper as "mayCreateRoles",
    has_schema_privilege(current_schema(), 'create') as "mayCreateTables"
  from pg_roles where rolname = current_user`;

/** Since version 16 a member may be barred from taking a role on. */
const ROLES = `select wanted as name, r.oid is not null as exists,
    array_remove(array[case when rolsuper then 'a superuser' end, case when rolbypassrls then 'free of the wall' end,
      case when rolcanlogin then 'allowed to log in' end,
      case when exists (select 1 from pg_class c where c.relowner = r.oid) then 'the owner of a table' end], null) as excess,
    coalesce(pg_has_role(current_user, r.oid, case when current_setting('server_version_num')::integer >= 160000
      then 'set' else 'member' end), false) as settable
  from unnest($1::text[]) wanted left join pg_roles r on r.rolname = wanted`;

/** Jobs name a partition, and are the server's own. The role 0 of a policy is everybody. */
const TABLES = `select c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced,
    c.relispartition as "isChild",
    exists (select 1 from unnest($2::text[]) r join pg_roles on rolname = r
      where has_table_privilege(pg_roles.oid, c.oid, 'select, insert, update, delete')) as granted,
    array(select coalesce(r.rolname::text, 'everybody') from pg_policy p cross join unnest(p.polroles) role
      left join pg_roles r on r.oid = role where p.polrelid = c.oid order by 1) as policies
  from pg_class c
  where c.relnamespace = coalesce($1, current_schema())::regnamespace and c.relkind in ('r', 'p')
    and c.relname <> 'hfj_job'
    and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'partition_id')
  order by 1`;
