/** What a migration has made on PostgreSQL. */
export interface MadeTables {
  /** Tables with PARTITION_ID: each transaction sees the rows of its own partitions only. */
  readonly partitioned: readonly string[];
  readonly shared: readonly string[];
  readonly sequences: readonly string[];
}

const ROLES = ['bulkhead_app', 'bulkhead_app_many'] as const;

const ONE = `PARTITION_ID = (select nullif(current_setting('bulkhead.partition', true), '')::integer)`;
const SEVERAL = `PARTITION_ID = any
  ((select string_to_array(nullif(current_setting('bulkhead.partitions', true), ''), ',')::integer[])::integer[])`;

/**
 * The second wall. Two roles that own nothing and cannot log in run every transaction of the server; row-level
 * security, forced, shows them only rows of the partitions that the transaction has set, and none where it has set
 * none. One role compares with one partition, which costs nothing; the other has a list.
 * https://www.postgresql.org/docs/current/ddl-rowsecurity.html
 */
export function securityStatements({ partitioned, shared, sequences }: MadeTables): readonly string[] {
  return [
    ...ROLES.map(ensureRole),
    `do $$ begin
      execute format('grant usage on schema %I to ${ROLES.join(', ')}', current_schema());
    end $$`,
    ...partitioned.flatMap((table) => [
      `alter table ${table} enable row level security`,
      `alter table ${table} force row level security`,
      `create policy ONE_PARTITION on ${table} to bulkhead_app using (${ONE}) with check (${ONE})`,
      `create policy SEVERAL_PARTITIONS on ${table} to bulkhead_app_many using (${SEVERAL}) with check (${SEVERAL})`,
    ]),
    ...[...partitioned, ...shared].map(
      (table) => `grant select, insert, update, delete on ${table} to ${ROLES.join(', ')}`,
    ),
    ...sequences.map((sequence) => `grant usage on sequence ${sequence} to ${ROLES.join(', ')}`),
  ];
}

/** Roles belong to all databases of a server, so that another one may have made them, even at this moment. */
function ensureRole(role: string): string {
  return `do $$ begin
    if not exists (select 1 from pg_roles where rolname = '${role}') then
      begin
        create role ${role} nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
      exception when duplicate_object or unique_violation then null; end;
    end if;
    -- Since version 16 who makes a role is a member of it that may not take it on.
    if not pg_has_role(current_user, '${role}',
      case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end) then
      execute format('grant ${role} to %I', current_user);
    end if;
  end $$`;
}
