import type { ElementValue } from '../index-values.js';
import type { IndexKind } from '../indexed-path.js';
import { RowCollector } from './row-collector.js';
import type { RowMaker } from './row-maker.js';
import { rowMaker } from './row-makers.js';

type Columns = Omit<ElementValue, 'path' | 'of' | 'element'>;

/** One row of a collector, with the columns that it has as a row of an element. */
export interface ElementRow {
  readonly kind: IndexKind;
  readonly path: string;
  readonly columns: Columns;
}

const NO_AMOUNT = { low: 0, unit: '', high: null, canonicalUnit: null };

/** Kinds whose rows are also made beside values of other kinds: of words, and of identifiers. */
const ASIDE: ReadonlySet<IndexKind> = new Set<IndexKind>(['token', 'string']);

const known = new Map<string, RowMaker>();

/** What makes rows of the kind, of the collector's element, from values of the FHIR type; undefined where none are made. */
export function elementMaker(kind: IndexKind, type: string): RowMaker | undefined {
  const maker = rowMaker(kind, type);
  const key = `${kind} ${type}`;
  const made = known.get(key) ?? (maker && within(kind, maker));
  if (made) known.set(key, made);
  return made;
}

/**
 * The rows that the value has anywhere, each as one row of the element. Words beside codes and identifiers of
 * references are left out: no value of a composite asks for them.
 */
function within(kind: IndexKind, maker: RowMaker): RowMaker {
  return (value, path, rows, system) => {
    const { element } = rows;
    const own = new RowCollector(rows.toLocal);
    maker(value, path, own, system);
    for (const { kind: made, path: place, columns } of elementRows(own)) {
      if (made !== kind && ASIDE.has(made)) continue;
      const asked = made === 'string' ? { ...columns, unit: '' } : columns;
      rows.elements.push({ path: place, element, ...asked });
    }
  };
}

/** All rows of the collector but those that are of elements already; the unit of a string is its exact text. */
export function* elementRows(rows: RowCollector): Iterable<ElementRow> {
  for (const { path, system, value } of rows.tokens)
    yield { kind: 'token', path, columns: { ...NO_AMOUNT, value, system } };
  for (const { path, normalized, exact } of rows.strings)
    yield { kind: 'string', path, columns: { ...text(normalized), unit: exact } };
  for (const { path, low, high } of rows.dates)
    // The high end is in the unit too, as all that tells rows apart is.
    yield { kind: 'date', path, columns: { ...text(''), low, high, unit: String(high) } };
  for (const { path, value } of rows.numbers)
    yield { kind: 'number', path, columns: { ...text(''), low: value } };
  for (const quantity of rows.quantities)
    yield { kind: 'quantity', path: quantity.path, columns: amount(quantity) };
  for (const { path, value } of rows.uris) yield { kind: 'uri', path, columns: text(value) };
  for (const { path, type, id, url } of rows.references)
    yield { kind: 'reference', path, columns: text(url ?? `${type}/${id}`) };
}

/** The columns of a row that is one text. */
export function text(value: string): Columns {
  return { ...NO_AMOUNT, value, system: null };
}

function amount(quantity: RowCollector['quantities'][number]): Columns {
  const { value: low, system, code, unit, canonicalValue: high, canonicalUnit } = quantity;
  return { value: code ?? '', system, low, unit: unit ?? '', high, canonicalUnit };
}
