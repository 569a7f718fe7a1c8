/** Owns the function and nothing else; may only read the words. */
const READER = 'bulkhead_fulltext';

/**
 * The login has to be a member of the role for the moment in which it gives the function away, and must not have its
 * rights: so it is a member of a member that inherits nothing. Roles belong to all databases of a server, so that
 * another one may have made this one, even at this moment.
 */
const ENSURE_READER = `do $$ begin
  if not exists (select 1 from pg_roles where rolname = '${READER}') then
    begin
      create role ${READER} nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
    exception when duplicate_object or unique_violation then null; end;
  end if;
  if not pg_has_role('bulkhead_app', '${READER}', 'member') then
    begin
      grant ${READER} to bulkhead_app;
    exception when unique_violation then null; end;
  end if;
end $$`;

/** The partitions that the transaction has set, as the policies of its role see them. */
const VISIBLE = `string_to_array(case current_setting('role')
  when 'bulkhead_app' then current_setting('bulkhead.partition', true)
  when 'bulkhead_app_many' then current_setting('bulkhead.partitions', true) end, ',')::integer[]`;

/**
 * A policy keeps the planner from any index but those of its own columns, as `@@` is not known to be leakproof. So a
 * function finds words, which belongs to a role that sees the words of all partitions, and answers those of the
 * partitions that the transaction has set: nobody can ask for others. RANKING is a query whose words begin with `@`
 * where the partition and PARAM_ID stand; without it nothing is ranked. The body is bound to the table, not to its name:
 * schemas of homes are renamed.
 * https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY
 */
export function fullTextFunction(table: string): readonly string[] {
  return [
    ENSURE_READER,
    `create policy FULLTEXT_READER on ${table} for select to ${READER} using (true)`,
    `grant select on ${table} to ${READER}`,
    `create function BULKHEAD_FULLTEXT(QUERY text, RANKING text)
      returns table (RES_ID bigint, PARTITION_ID integer, SCORE integer)
      language sql stable security definer
      set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = on
    begin atomic
      select t.RES_ID, t.PARTITION_ID, case when $2 is null then null else
        round(1000000 * ts_rank(t.SP_WORDS,
          replace($2, '@', t.PARTITION_ID || ':' || t.PARAM_ID || ':')::tsquery, 32))::integer end
      from ${table} t where t.SP_WORDS @@ $1::tsquery
        and coalesce(t.PARTITION_ID, t.PARTITION_ID) = any ((select ${VISIBLE})::integer[]);
    end`,
    'revoke all on function BULKHEAD_FULLTEXT(text, text) from public',
    'grant execute on function BULKHEAD_FULLTEXT(text, text) to bulkhead_app, bulkhead_app_many',
    // The owner of a function has to have the right to make one, at the moment when it becomes that.
    `do $$ begin
      execute format('grant usage, create on schema %I to ${READER}', current_schema());
      alter function BULKHEAD_FULLTEXT(text, text) owner to ${READER};
      execute format('revoke create on schema %I from ${READER}', current_schema());
    end $$`,
  ];
}
