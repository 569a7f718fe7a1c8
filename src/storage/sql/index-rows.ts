import { FULL_TEXT_PATH } from '../../fhir/full-text.js';
import type { ElementValue, IndexValues, TextValue } from '../../fhir/index-values.js';
import type { LiteralReference } from '../../fhir/references.js';
import { UNINDEXED_REFERENCE, type PathKind } from './dictionary.js';

/** Ids of names that rows are made of. Names that are new become known by it. */
export interface RowIds {
  /** Undefined where nothing was ever written for it. */
  findPath(resourceType: string, kind: PathKind, path: string): number | undefined;
  ensurePath(resourceType: string, kind: PathKind, path: string): number;
  ensureSystem(url: string | null): number;
}

/** The index tables whose rows depend on the resource alone (links also depend on their targets' rows). */
export type ValueTable = 'token' | 'string' | 'date' | 'number' | 'quantity' | 'uri' | 'composite' | 'text';

/** One index row: PARAM_ID first, then the value columns in the order of the table; no partition, no RES_ID. */
export interface ValueRow {
  readonly table: ValueTable;
  readonly columns: readonly (string | number | null)[];
}

/** One link before its target is looked up. */
export interface LinkRow {
  readonly paramId: number;
  /** A resource of this server, or null where `url` says it all. */
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly url: string;
}

/** All value rows of a resource. Adds to the dictionaries. */
export function toValueRows(dictionary: RowIds, type: string, values: IndexValues): ValueRow[] {
  const rows: ValueRow[] = [];
  for (const { path, system, value } of values.tokens) {
    const param = dictionary.ensurePath(type, 'token', path);
    rows.push({ table: 'token', columns: [param, value, dictionary.ensureSystem(system)] });
  }
  for (const { path, normalized, exact } of values.strings) {
    rows.push({ table: 'string', columns: [dictionary.ensurePath(type, 'string', path), normalized, exact] });
  }
  for (const { path, low, high } of values.dates) {
    rows.push({ table: 'date', columns: [dictionary.ensurePath(type, 'date', path), low, high] });
  }
  for (const { path, value } of values.numbers) {
    rows.push({ table: 'number', columns: [dictionary.ensurePath(type, 'number', path), value] });
  }
  for (const { path, value } of values.uris) {
    rows.push({ table: 'uri', columns: [dictionary.ensurePath(type, 'uri', path), value] });
  }
  for (const quantity of values.quantities) rows.push(quantityRow(dictionary, type, quantity));
  for (const element of values.elements) rows.push(elementRow(dictionary, type, element));
  for (const text of values.texts) rows.push(textRow(dictionary.ensurePath(type, 'text', text.path), text));
  return rows;
}

/**
 * The rows of a version that goes. Its words go too where this server indexes none: another one, or this one with
 * other settings, may have written them.
 */
export function replacedValueRows(dictionary: RowIds, type: string, values: IndexValues): ValueRow[] {
  const rows = toValueRows(dictionary, type, values);
  if (values.texts.length > 0) return rows;
  const param = dictionary.findPath(type, 'text', FULL_TEXT_PATH);
  return param === undefined ? rows : [...rows, textRow(param, { narrative: [], content: [] })];
}

/** Between the words of the narrative and all others, in `toMarkedWords`. */
export const NARRATIVE_END = '\f';
/** Stands before each word in place of what makes the words of a partition and a type different from all others. */
export const WORD_MARK = '@';

/** `@word @word @ @word\f@word`: of an empty one, which parts two elements, the mark is left. */
function textRow(param: number, { narrative, content }: Pick<TextValue, 'narrative' | 'content'>): ValueRow {
  return { table: 'text', columns: [param, `${marked(narrative)}${NARRATIVE_END}${marked(content)}`] };
}

function marked(words: readonly string[]): string {
  return words.length === 0 ? '' : `${WORD_MARK}${words.join(` ${WORD_MARK}`)}`;
}

function quantityRow(
  dictionary: RowIds,
  type: string,
  quantity: IndexValues['quantities'][number],
): ValueRow {
  const { path, value, system, code, unit, canonicalValue, canonicalUnit } = quantity;
  const param = dictionary.ensurePath(type, 'quantity', path);
  const systemId = dictionary.ensureSystem(system);
  return {
    table: 'quantity',
    columns: [param, value, systemId, code ?? '', unit ?? '', canonicalValue, canonicalUnit],
  };
}

function elementRow(dictionary: RowIds, type: string, row: ElementValue): ValueRow {
  const { path, of = type, element, value, system, low, unit, high, canonicalUnit } = row;
  const param = dictionary.ensurePath(of, 'composite', path);
  const systemId = dictionary.ensureSystem(system);
  return { table: 'composite', columns: [param, value, systemId, low, unit, element, high, canonicalUnit] };
}

/**
 * The links of a resource: one for each reference value that a search parameter covers, and one under
 * UNINDEXED_REFERENCE for each further literal reference, so that a delete sees every referrer.
 */
export function toLinkRows(
  dictionary: RowIds,
  type: string,
  values: IndexValues,
  references: readonly LiteralReference[],
): LinkRow[] {
  const covered = new Set<string>();
  const rows: LinkRow[] = [];
  for (const { path, type: targetType, id, url } of values.references) {
    const paramId = dictionary.ensurePath(type, 'reference', path);
    if (targetType !== null && id !== null) {
      covered.add(`${targetType}/${id}`);
      rows.push({ paramId, target: { type: targetType, id }, url: '' });
    } else if (url !== null) rows.push({ paramId, target: null, url });
  }
  for (const { type: targetType, id } of references) {
    if (covered.has(`${targetType}/${id}`)) continue;
    rows.push({ paramId: UNINDEXED_REFERENCE, target: { type: targetType, id }, url: '' });
  }
  return rows;
}

/** What an update has to insert and delete, so that only differences are written. */
export function diffValueRows(
  previous: readonly ValueRow[],
  next: readonly ValueRow[],
): { readonly inserted: readonly ValueRow[]; readonly deleted: readonly ValueRow[] } {
  const old = new Map(previous.map((row) => [rowKey(row), row]));
  const inserted = next.filter((row) => !old.delete(rowKey(row)));
  return { inserted, deleted: [...old.values()] };
}

/** Rows of versions before that the rows of the current one are not among, each once. */
export function outdatedValueRows(
  dictionary: RowIds,
  type: string,
  { outdated, current }: { readonly outdated: readonly IndexValues[]; readonly current: readonly ValueRow[] },
): readonly ValueRow[] {
  if (outdated.length === 0) return [];
  const { deleted } = diffValueRows(
    outdated.flatMap((values) => toValueRows(dictionary, type, values)),
    current,
  );
  // Whoever writes words takes those before away: there is one row of a resource, and it is the current version's.
  return deleted.filter(({ table }) => table !== 'text');
}

/** Each row once. */
export function distinctRows(rows: readonly ValueRow[]): readonly ValueRow[] {
  return [...new Map(rows.map((row) => [rowKey(row), row])).values()];
}

function rowKey(row: ValueRow): string {
  return `${row.table}\u0001${row.columns.join('\u0001')}`;
}
