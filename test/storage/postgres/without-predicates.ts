const COLUMN = String.raw`(?:\b\w+\.)?PARTITION_ID`;
const PARAMETER = String.raw`\$\d+(?:::\w+(?:\[\])?)?`;
/** `translate($1, '[]', '{}')::int[]`, as searches send a list. */
const JSON_LIST = String.raw`translate\((\$\d+), '\[\]', '\{\}'\)::\w+\[\]`;

const ONE = new RegExp(String.raw`${COLUMN} = (${PARAMETER})`, 'g');
const SAME = new RegExp(String.raw`${COLUMN} = \w+\.\w+`, 'g');
const ANY = new RegExp(String.raw`${COLUMN} = any \((${PARAMETER})\)`, 'g');
const ANY_JSON = new RegExp(String.raw`${COLUMN} = any \(${JSON_LIST}\)`, 'g');
const LIST = new RegExp(String.raw`${COLUMN} in \(((?:\$\d+(?:, )?)+)\)`, 'g');

/**
 * A statement whose every predicate on PARTITION_ID says yes. Its parameters stay, each with a type, so that the
 * values that come with it still fit.
 */
export function withoutPredicates(sql: string): string {
  return sql
    .replaceAll(ANY_JSON, '($1::text is not null)')
    .replaceAll(ANY, '($1 is not null)')
    .replaceAll(
      LIST,
      (_, list: string) => `(coalesce(${list.replaceAll(/\$\d+/g, '$&::integer')}) is not null)`,
    )
    .replaceAll(ONE, (_, parameter: string) => `(${typed(parameter)} is not null)`)
    .replaceAll(SAME, 'true');
}

function typed(parameter: string): string {
  return parameter.includes('::') ? parameter : `${parameter}::integer`;
}
