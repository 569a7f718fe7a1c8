import type {
  DateValue,
  ElementValue,
  IndexValues,
  NumberValue,
  QuantityValue,
  ReferenceValue,
  StringValue,
  TokenValue,
  TextValue,
  UriValue,
} from '../index-values.js';

/** Tells which resource of this server an absolute URL names; null for URLs elsewhere. */
export type LocalUrl = (url: string) => { readonly type: string; readonly id: string } | null;

/** A reference `#id` to a contained resource, by the path that it stands on. */
export interface Fragment {
  readonly path: string;
  readonly id: string;
}

/** Collects the rows of one resource. */
export class RowCollector {
  readonly toLocal: LocalUrl | undefined;
  readonly tokens: TokenValue[] = [];
  readonly strings: StringValue[] = [];
  readonly dates: DateValue[] = [];
  readonly numbers: NumberValue[] = [];
  readonly quantities: QuantityValue[] = [];
  readonly uris: UriValue[] = [];
  readonly references: ReferenceValue[] = [];
  readonly elements: ElementValue[] = [];
  /** Where contained resources are referred to. */
  readonly fragments: Fragment[] = [];
  readonly texts: TextValue[] = [];
  /** The element that values are collected of, by its number. */
  element = 0;
  private elementCount = 0;

  constructor(toLocal: LocalUrl | undefined) {
    this.toLocal = toLocal;
  }

  /** The number of one more element that repeats. */
  nextElement(): number {
    return this.elementCount++;
  }

  /** The rows, each once. */
  distinct(): IndexValues {
    return {
      tokens: distinctRows(this.tokens, sameToken),
      strings: distinctRows(this.strings, sameString),
      dates: distinctRows(this.dates, sameDate),
      numbers: distinctRows(this.numbers, sameNumber),
      quantities: distinctRows(this.quantities, sameQuantity),
      uris: distinctRows(this.uris, sameUri),
      references: distinctRows(this.references, sameReference),
      elements: distinctRows(this.elements, sameElement),
      texts: this.texts,
    };
  }
}

/** Above this, a set of keys is cheaper than comparing each row with each. */
const FEW_ROWS = 32;

type Same<Row> = (a: Row, b: Row) => boolean;

function distinctRows<Row extends object>(rows: Row[], same: Same<Row>): readonly Row[] {
  if (rows.length > FEW_ROWS) return distinctByKey(rows);
  for (let at = 1; at < rows.length; at++) {
    if (repeats(rows, at, same)) return rows.filter((_, position) => !repeats(rows, position, same));
  }
  return rows;
}

function repeats<Row>(rows: readonly Row[], at: number, same: Same<Row>): boolean {
  const row = rows[at] as Row;
  for (let before = 0; before < at; before++) if (same(rows[before] as Row, row)) return true;
  return false;
}

function distinctByKey<Row extends object>(rows: readonly Row[]): readonly Row[] {
  const keys = new Set<string>();
  return rows.filter((row) => {
    const key = JSON.stringify(row);
    return keys.size < keys.add(key).size;
  });
}

const sameToken: Same<TokenValue> = (a, b) =>
  a.value === b.value && a.path === b.path && a.system === b.system;
const sameString: Same<StringValue> = (a, b) =>
  a.exact === b.exact && a.path === b.path && a.normalized === b.normalized;
const sameDate: Same<DateValue> = (a, b) => a.low === b.low && a.high === b.high && a.path === b.path;
const sameNumber: Same<NumberValue> = (a, b) => a.value === b.value && a.path === b.path;
const sameQuantity: Same<QuantityValue> = (a, b) =>
  a.value === b.value && a.code === b.code && a.unit === b.unit && a.system === b.system && a.path === b.path;
const sameUri: Same<UriValue> = (a, b) => a.value === b.value && a.path === b.path;
const sameElement: Same<ElementValue> = (a, b) =>
  a.element === b.element &&
  a.value === b.value &&
  a.path === b.path &&
  a.of === b.of &&
  a.system === b.system &&
  a.low === b.low &&
  a.unit === b.unit;
const sameReference: Same<ReferenceValue> = (a, b) =>
  a.id === b.id && a.url === b.url && a.type === b.type && a.path === b.path;
