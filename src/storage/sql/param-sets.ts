import { crc32 } from 'node:zlib';
import { MOVED_COLUMNS, type RawRow } from '../placement/home.js';
import { UNINDEXED_REFERENCE } from './dictionary.js';
import type { LinkRow, ValueRow, ValueTable } from './index-rows.js';

/**
 * The paths that a resource has index rows or links on. The id is a number that is made of the text: several texts may
 * have one id, so that what an id tells holds only if it holds for all of its texts in HFJ_RES_PARAMS.
 */
export interface ParamSet {
  readonly id: number;
  readonly text: string;
}

/** The RES_PARAMS_ID of resources whose set is not known. */
export const UNKNOWN_SET = 0;

/** TARGET_TYPE_ID of links that lead to no resource of this server. */
const NO_TYPE = 0;

const LINK_COLUMNS = MOVED_COLUMNS.HFJ_RES_LINK.split(', ');
const PARAM_ID = LINK_COLUMNS.indexOf('PARAM_ID');
const TARGET_TYPE_ID = LINK_COLUMNS.indexOf('TARGET_TYPE_ID');

/** What a link tells of itself. */
export interface LinkType {
  readonly paramId: number;
  /** TARGET_TYPE_ID. */
  readonly typeId: number;
}

/** What a text of a set holds where there are rows on the path. */
export const valueMark = (paramId: number): string => `,${paramId},`;
/** The same where there are links on the path, whatever they lead to. */
export const linkMark = (paramId: number): string => `,${paramId}:`;
/** The same where a link on the path leads to a resource of the type. */
export const typeMark = (paramId: number, typeId: number): string => `,${paramId}:${typeId},`;
/** The same where a link on the path is a URL. */
export const urlMark = (paramId: number): string => typeMark(paramId, NO_TYPE);

/**
 * Rows of elements come and go with other resources, as copies do, and words with settings of the server: neither is part
 * of a set.
 */
const NOT_COUNTED: ReadonlySet<ValueTable> = new Set<ValueTable>(['composite', 'text']);

/** The set of a resource that has these rows and links. */
export function toParamSet(values: readonly ValueRow[], links: readonly LinkType[]): ParamSet {
  const entries = new Set<number | string>();
  for (const { table, columns } of values) if (!NOT_COUNTED.has(table)) entries.add(columns[0] as number);
  for (const { paramId, typeId } of links)
    if (paramId !== UNINDEXED_REFERENCE) entries.add(`${paramId}:${typeId}`);
  const text = entries.size === 0 ? ',' : `,${[...entries].map(String).toSorted().join(',')},`;
  // A signed integer of 32 bits, as the column is.
  const id = crc32(text) | 0;
  return { id: id === UNKNOWN_SET ? 1 : id, text };
}

/** What rows of links tell of themselves that come from another home, in the order of MOVED_COLUMNS. */
export function movedLinkTypes(links: readonly RawRow[]): readonly LinkType[] {
  return links.map((row) => ({ paramId: Number(row[PARAM_ID]), typeId: Number(row[TARGET_TYPE_ID]) }));
}

/** The set that a resource will have once it is written; null where nobody knows a type that it refers to. */
export function writtenSet(
  values: readonly ValueRow[],
  links: readonly LinkRow[],
  typeId: (type: string) => number | undefined,
): ParamSet | null {
  const types: LinkType[] = [];
  for (const { paramId, target } of links) {
    const id = target === null ? NO_TYPE : typeId(target.type);
    if (id === undefined) return null;
    types.push({ paramId, typeId: id });
  }
  return toParamSet(values, types);
}
