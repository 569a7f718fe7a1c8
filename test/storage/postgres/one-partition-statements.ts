import type { PartitionId, PartitionScope } from '../../../src/model/partition.js';
import { historySql, READ_SQL } from '../../../src/storage/sql/postgres/read-sql.js';
import { postgresSearchDialect } from '../../../src/storage/sql/search-dialect.js';
import { SearchQueries } from '../../../src/storage/sql/search-query.js';
import type { SqlStatement } from '../../../src/storage/sql/sql-reader.js';
import * as c from '../search/conditions.js';
import { BEGIN, SKEWED_NAMES, STEP } from '../search/postgres/skewed-data.js';

const TYPE = 'Observation';
const OBSERVATION = SKEWED_NAMES.typeId(TYPE) ?? 0;
const queries = new SearchQueries(SKEWED_NAMES, postgresSearchDialect());
const code = c.token(TYPE, 'code', c.code('c0', 'urn:codes'));
const low = BEGIN + 100 * STEP;
const since = c.date(TYPE, 'effective', { comparison: 'ge', low, high: low });
const subject = c.reference(TYPE, 'subject', c.local('p1', 'Patient'));
const chain = c.chain(TYPE, 'subject', 'Patient', c.text('Patient', 'name', c.prefix('name1')));

/** As the resolver makes it. */
const scopeOf = (partition: number): PartitionScope =>
  ({ partitions: [partition as PartitionId], all: false }) as unknown as PartitionScope;

type StatementFor = (partition: number) => SqlStatement;

const page =
  (plan: ReturnType<typeof c.plan>): StatementFor =>
  (partition) =>
    present(
      queries.page({ scope: scopeOf(partition), systemIds: SKEWED_NAMES.systemId }, plan, { count: 50 }),
    );

const read =
  (sql: string, ...bindings: readonly (string | number)[]): StatementFor =>
  (partition) => ({
    sql,
    bindings: [partition, ...bindings],
    partitions: [partition as PartitionId],
    cost: 'cheap',
    plan: 'generic',
  });

/** What a server asks of one partition of `fillPartitions`. */
export const STATEMENTS = {
  'a read by id': read(READ_SQL.readOne, OBSERVATION, 'o1'),
  'a history': read(historySql({ target: 'type', window: 'all' }), OBSERVATION, 9, 0, 9, 9, 9, 10),
  'a history at a time': read(historySql({ target: 'instance', window: 'at' }), 1, 9, 0, 9, 9, 9, 10),
  'a token': page(c.plan(TYPE, code)),
  'a token and a date': page(c.plan(TYPE, c.all(code, since))),
  'a reference': page(c.plan(TYPE, subject)),
  'a chain': page(c.plan(TYPE, chain)),
  'an include': (partition) =>
    present(
      queries.linked(scopeOf(partition), {
        direction: 'include',
        sourceType: TYPE,
        paths: ['subject'],
        targetType: null,
        from: Array.from({ length: 50 }, (_, index) => 100_001 + index),
        limit: 100,
      }),
    ),
} as const satisfies Readonly<Record<string, StatementFor>>;

function present(statement: SqlStatement | null): SqlStatement {
  if (statement === null) throw new Error('Nothing can match.');
  return statement;
}
