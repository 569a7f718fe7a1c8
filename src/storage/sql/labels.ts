import type { PartitionScope } from '../../model/partition.js';
import type { Coding, Meta } from '../../model/resource.js';
import type { LabelStore } from '../store.js';
import type { Dictionary, PathKind } from './dictionary.js';
import type { SqlReader } from './sql-reader.js';

const TOKENS = `select distinct t.SP_VALUE, s.SYS_URL from HFJ_SPIDX_TOKEN t left join HFJ_SYSTEM s on s.SYS_ID = t.SYS_ID
  where t.PARTITION_ID in (select value from json_each(?)) and t.PARAM_ID in (select value from json_each(?))
  order by s.SYS_URL, t.SP_VALUE limit 1000`;
const URIS = `select distinct u.SP_VALUE from HFJ_SPIDX_URI u
  where u.PARTITION_ID in (select value from json_each(?)) and u.PARAM_ID in (select value from json_each(?))
  order by u.SP_VALUE limit 1000`;

/** Labels in use, from the search indexes: at most 1,000 of each kind. */
export class SqlLabelStore implements LabelStore {
  constructor(
    private readonly reader: SqlReader,
    private readonly dictionary: Dictionary,
  ) {}

  async inUse(scope: PartitionScope, types: readonly string[] | undefined): Promise<Meta> {
    const [profile, security, tag] = await Promise.all([
      this.distinct(scope, { sql: URIS, paths: this.paths(types, 'uri', 'meta.profile') }),
      this.distinct(scope, { sql: TOKENS, paths: this.paths(types, 'token', 'meta.security') }),
      this.distinct(scope, { sql: TOKENS, paths: this.paths(types, 'token', 'meta.tag') }),
    ]);
    return {
      ...(profile.length === 0 ? {} : { profile: profile.map(([url]) => String(url)) }),
      ...(security.length === 0 ? {} : { security: security.map(toCoding) }),
      ...(tag.length === 0 ? {} : { tag: tag.map(toCoding) }),
    };
  }

  private paths(types: readonly string[] | undefined, kind: PathKind, path: string): readonly number[] {
    return (types ?? this.dictionary.knownTypes()).flatMap(
      (type) => this.dictionary.pathId(type, kind, path) ?? [],
    );
  }

  private async distinct(
    scope: PartitionScope,
    { sql, paths }: { readonly sql: string; readonly paths: readonly number[] },
  ): Promise<readonly (readonly unknown[])[]> {
    if (paths.length === 0) return [];
    const bindings = [JSON.stringify(scope.partitions), JSON.stringify(paths)];
    return this.reader.all({ sql, bindings, cost: 'expensive' });
  }
}

function toCoding([code, system]: readonly unknown[]): Coding {
  return { ...(typeof system === 'string' ? { system } : {}), code: String(code) };
}
