const ON_RESOURCES = /^\s*(with|select)\b[^]*HFJ_(RESOURCE|RES_LINK|RES_VER|SPIDX)/i;
/** Servers look by themselves, at any time, whether search parameters were changed: those are DEFAULT's, which is 0. */
const OF_DEFAULT_ALONE = /^(?![^]*PARTITION_ID = \+?[1-9])[^]*PARTITION_ID = \+?0\.0/;

/** Those of a session's statements that ask for resources of a tenant, whose partition is not 0, or for their index. */
export function tenantStatements(statements: readonly string[]): readonly string[] {
  return statements.filter((sql) => ON_RESOURCES.test(sql) && !OF_DEFAULT_ALONE.test(sql));
}
