import type { Client } from 'pg';

/** A table with PARTITION_ID, and what PostgreSQL does about its rows. */
export interface PartitionedTable {
  readonly schema: string;
  readonly name: string;
  readonly secured: boolean;
  readonly forced: boolean;
  /** Roles that have a policy. */
  readonly roles: readonly string[];
}

/** Jobs name a partition, and are the server's own: nothing of a resource is in them. */
const SHARED = ['hfj_job'];

/** Every table of the database that holds something of a resource, as PostgreSQL itself lists them. */
export async function partitionedTables(client: Client): Promise<readonly PartitionedTable[]> {
  const { rows } = await client.query<PartitionedTable>(
    `select n.nspname as schema, c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced,
        array(select r.rolname::text from pg_policy p join pg_roles r on r.oid = any (p.polroles)
          where p.polrelid = c.oid order by 1) as roles
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and c.relname <> all ($1)
        and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'partition_id')
      order by 1, 2`,
    [SHARED],
  );
  return rows;
}

/** Puts one row of a partition into a table, whatever its columns are. */
export async function addRow(client: Client, table: string, partition: number): Promise<void> {
  const { rows: columns } = await client.query<{ name: string; type: string }>(
    `select attname as name, atttypid::regtype::text as type from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> 'partition_id'`,
    [table],
  );
  const names = columns.map(({ name }) => name);
  const values = columns.map(({ type }) => sampleOf(type, partition));
  await client.query(
    `insert into ${table} (partition_id, ${names.join(', ')}) values (${partition}, ${values.join(', ')})`,
  );
}

/** Different for each partition, because some keys are of the whole server. */
function sampleOf(type: string, partition: number): string {
  switch (type) {
    case 'text':
      return `'row of ${partition}'`;
    case 'bytea':
      return `'\\x0${partition}'`;
    case 'tsvector':
      return `'row:1'`;
    case 'date':
      return 'null';
    default:
      return String(partition);
  }
}
