import type { IndexedPath, IndexKind } from '../indexed-path.js';
import type { Lift } from '../uplift.js';
import { RowCollector } from './row-collector.js';
import type { RowMaker } from './row-maker.js';
import { rowMaker } from './row-makers.js';

/** Lifted values belong to the resource as a whole. */
const WHOLE = { element: 0, low: 0, high: null, canonicalUnit: null };

/** What values on the path are; undefined within elements that repeat. */
export function pathKind({ kind, lift }: IndexedPath): IndexKind | undefined {
  if (lift) return lift.kind;
  return kind === 'composite' ? undefined : kind;
}

/** What makes the rows of a path from values of the FHIR type; undefined where none are made. */
export function pathMaker({ kind, lift }: IndexedPath, type: string): RowMaker | undefined {
  if (lift) return liftedMaker(lift, type);
  return kind === 'composite' ? undefined : rowMaker(kind, type);
}

function liftedMaker(lift: Lift, type: string): RowMaker | undefined {
  const maker = rowMaker(lift.kind, type);
  if (!maker) return undefined;
  return (value, path, rows, system) => {
    const own = new RowCollector(rows.toLocal);
    maker(value, path, own, system);
    if (lift.element === undefined) addChained(rows, path, { own, lift });
    else addBare(rows, path, { own, lift });
  };
}

interface Made {
  readonly own: RowCollector;
  readonly lift: Lift;
}

/** A token without a value is none of an element's: it stays among the parameter's own. */
function addBare(rows: RowCollector, path: string, { own, lift }: Made): void {
  for (const { path: place, system, value } of own.tokens)
    if (place === path && system === lift.system && value !== '')
      rows.tokens.push({ path, system: null, value });
}

function addChained(rows: RowCollector, path: string, { own, lift }: Made): void {
  for (const { path: place, system, value } of own.tokens) {
    if (place !== path) continue;
    if (lift.system === null) rows.elements.push({ ...WHOLE, path, value, system, unit: '' });
    else if (system === lift.system && value !== '')
      rows.elements.push({ ...WHOLE, path, value, system: null, unit: '' });
  }
  if (lift.kind !== 'string') return;
  for (const { path: place, normalized, exact } of own.strings)
    if (place === path) rows.elements.push({ ...WHOLE, path, value: normalized, system: null, unit: exact });
}
