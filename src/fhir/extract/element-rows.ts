import type { ElementValue } from '../index-values.js';
import type { IndexKind } from '../indexed-path.js';
import { RowCollector } from './row-collector.js';
import type { RowMaker } from './row-maker.js';
import { rowMaker } from './row-makers.js';

type Columns = Omit<ElementValue, 'path' | 'element'>;

const NO_AMOUNT = { low: 0, unit: '', high: null, canonicalUnit: null };

const known = new Map<string, RowMaker>();

/** What makes rows of the kind, of the collector's element, from values of the FHIR type; undefined where none are made. */
export function elementMaker(kind: IndexKind, type: string): RowMaker | undefined {
  const maker = rowMaker(kind, type);
  const key = `${kind} ${type}`;
  const made = known.get(key) ?? (maker && within(kind, maker));
  if (made) known.set(key, made);
  return made;
}

/** The rows that the value has anywhere, each as one row of the element. */
function within(kind: IndexKind, maker: RowMaker): RowMaker {
  return (value, path, rows, system) => {
    const { element } = rows;
    const own = new RowCollector(rows.toLocal);
    maker(value, path, own, system);
    for (const { path: place, columns } of columnsOf(kind, own))
      rows.elements.push({ path: place, element, ...columns });
  };
}

/** Words beside codes and identifiers of references are left out: no value of a composite asks for them. */
function* columnsOf(kind: IndexKind, rows: RowCollector): Iterable<{ path: string; columns: Columns }> {
  if (kind === 'token')
    for (const { path, system, value } of rows.tokens)
      yield { path, columns: { ...NO_AMOUNT, value, system } };
  if (kind === 'string') for (const { path, normalized } of rows.strings) yield text(path, normalized);
  for (const { path, low, high } of rows.dates)
    // The high end is in the unit too, as all that tells rows apart is.
    yield { path, columns: { value: '', system: null, low, high, unit: String(high), canonicalUnit: null } };
  for (const { path, value } of rows.numbers)
    yield { path, columns: { ...NO_AMOUNT, value: '', system: null, low: value } };
  for (const quantity of rows.quantities) yield { path: quantity.path, columns: amount(quantity) };
  for (const { path, value } of rows.uris) yield text(path, value);
  for (const { path, type, id, url } of rows.references) yield text(path, url ?? `${type}/${id}`);
}

function text(path: string, value: string): { path: string; columns: Columns } {
  return { path, columns: { ...NO_AMOUNT, value, system: null } };
}

function amount(quantity: RowCollector['quantities'][number]): Columns {
  const { value: low, system, code, unit, canonicalValue: high, canonicalUnit } = quantity;
  return { value: code ?? '', system, low, unit: unit ?? '', high, canonicalUnit };
}
