import type { Knex } from 'knex';

/** Whether tables of this database are partitioned natively. */
export async function isNative(knex: Knex): Promise<boolean> {
  const { rows } = await knex.raw<{ rows: readonly { native: boolean }[] }>(
    `select relkind = 'p' as native from pg_class where oid = to_regclass('HFJ_RESOURCE')`,
  );
  return rows[0]?.native === true;
}

/** Native partitions of the table, for every list that HFJ_RESOURCE has one for. */
export function likeResources(table: string): string {
  return `do $$ declare leaf record; begin
    for leaf in select substr(c.relname, length('hfj_resource') + 1) as suffix,
        pg_get_expr(c.relpartbound, c.oid) as bound
      from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass('HFJ_RESOURCE')
    loop
      execute format('create table %I partition of ${table} %s', lower('${table}') || leaf.suffix, leaf.bound);
      execute format('alter table %I enable row level security', lower('${table}') || leaf.suffix);
      execute format('alter table %I force row level security', lower('${table}') || leaf.suffix);
    end loop;
  end $$`;
}
