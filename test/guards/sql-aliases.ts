import { PARTITIONED_TABLES } from '../../src/storage/sql/tables.js';

const WORD_AFTER_TABLE = /^(?:as\s+)?([a-z]\w*)/i;
const KEYWORDS = new Set(
  'where on join cross inner left right natural order group limit set using union except values indexed not default returning'.split(
    ' ',
  ),
);

/** A partitioned table that a statement opens; `alias` is undefined where it has none. */
interface Opened {
  readonly table: string;
  readonly alias: string | undefined;
}

/**
 * The partitioned tables that a SQL statement reads, changes or deletes from without a predicate on
 * PARTITION_ID of their own. An insert names its partition, so the table it goes to needs none.
 */
export function unscoped(sql: string): readonly string[] {
  const text = sql
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll(/[`"]/g, '')
    .replaceAll(/\s+/g, ' ');
  const opened = openedIn(text);
  const named = opened.filter(({ alias }) => alias !== undefined && !hasPredicate(text, `${alias}\\.`));
  const plain = opened.filter(({ alias }) => alias === undefined);
  const predicates = plain.length === 0 ? 0 : countPredicates(text, '(?<![\\w.])');
  return [...named, ...(predicates < plain.length ? plain : [])].map(({ table, alias }) => alias ?? table);
}

function openedIn(text: string): readonly Opened[] {
  const tables = new RegExp(`(\\b\\w+ )?\\b(${PARTITIONED_TABLES.join('|')})\\b(?!\\.) ?`, 'gi');
  return [...text.matchAll(tables)].flatMap((match) => {
    const [whole, before = '', table = ''] = match;
    if (before.toLowerCase() === 'into ') return [];
    const [, word] = WORD_AFTER_TABLE.exec(text.slice(match.index + whole.length)) ?? [];
    return [{ table, alias: word === undefined || KEYWORDS.has(word.toLowerCase()) ? undefined : word }];
  });
}

function hasPredicate(text: string, before: string): boolean {
  return countPredicates(text, `(?<![\\w.])${before}`) > 0;
}

function countPredicates(text: string, before: string): number {
  return [...text.matchAll(new RegExp(`${before}PARTITION_ID (?:=|in) ?`, 'gi'))].length;
}
