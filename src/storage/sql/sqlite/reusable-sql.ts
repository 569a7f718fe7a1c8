/**
 * The same statement in a form that SQLite keeps. Where a plan might depend on a bound value (any ordered query,
 * and `limit ?`) SQLite looks at the value while it plans and plans anew on the next execution: measured 10 µs
 * for a plain search, more for larger ones. It doesn't look inside of expressions, so `?` becomes `+?`, which is
 * the same value of any type, and `limit ?` becomes `limit ?+0`, as it looks behind a sign there. Our plans
 * never gain from values: there are no statistics to compare them with.
 */
export function toReusableSql(sql: string): string {
  return sql.replaceAll(/(\blimit )?\?/gi, (_, limit: string | undefined) =>
    limit === undefined ? '+?' : `${limit}?+0`,
  );
}
