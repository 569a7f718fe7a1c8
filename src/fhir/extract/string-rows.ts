import { cutText, normalizeString } from '../normalize.js';
import { derivedPaths } from './derived-paths.js';
import { asList, asObject, asText, type JsonObject } from './element-values.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker, RowMakers } from './row-maker.js';

const text: RowMaker = (value, path, rows) => {
  addString(rows, path, value);
};

const humanName: RowMaker = (value, path, rows) => {
  const name = asObject(value);
  if (!name) return;
  addString(rows, path, name['family']);
  addStrings(rows, path, name['given']);
  addStrings(rows, path, name['prefix']);
  addStrings(rows, path, name['suffix']);
  addString(rows, path, name['text']);
};

const ADDRESS_PARTS = ['city', 'district', 'state', 'postalCode', 'country', 'text'] as const;

const address: RowMaker = (value, path, rows) => {
  const place = asObject(value);
  if (!place) return;
  addStrings(rows, path, place['line']);
  for (const part of ADDRESS_PARTS) addString(rows, path, place[part]);
};

function textOf(member: string): RowMaker {
  return (value, path, rows) => {
    const part: JsonObject | undefined = asObject(value);
    if (part) addString(rows, path, part[member]);
  };
}

function addStrings(rows: RowCollector, path: string, values: unknown): void {
  for (const value of asList(values)) addString(rows, path, value);
}

function addString(rows: RowCollector, path: string, value: unknown): void {
  const exact = asText(value);
  if (exact === undefined) return;
  rows.strings.push({ path, normalized: normalizeString(exact), exact: cutText(exact) });
}

/** The words beside a code. Nobody asks for them to the letter, so that only the normalized text is kept. */
export function addCodeText(rows: RowCollector, path: string, value: unknown): void {
  const words = asText(value);
  if (words === undefined) return;
  rows.strings.push({ path: derivedPaths(path).text, normalized: normalizeString(words), exact: '' });
}

/** https://hl7.org/fhir/R4/search.html#string */
export const stringRows: RowMakers = {
  string: text,
  markdown: text,
  code: text,
  uri: text,
  HumanName: humanName,
  Address: address,
  CodeableConcept: textOf('text'),
  Coding: textOf('display'),
  Annotation: textOf('text'),
};
