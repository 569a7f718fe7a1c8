import { derivedPaths } from './derived-paths.js';
import { asList, asObject, asText, type JsonObject } from './element-values.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker, RowMakers } from './row-maker.js';
import { addCodeText } from './string-rows.js';

/** The value of an element that has no code, see TokenValue. */
const UNCODED = '';

const coding: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  if (!part) return;
  addToken(rows, path, part['system'], part['code']);
  addCodeText(rows, path, part['display']);
};

const codeableConcept: RowMaker = (value, path, rows) => {
  const concept = asObject(value);
  const codings = asList(concept?.['coding']);
  for (const part of codings) coding(part, path, rows, null);
  if (!concept) return;
  if (codings.length === 0) addToken(rows, path, null, UNCODED);
  addCodeText(rows, path, concept['text']);
};

const identifier: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  if (!part) return;
  addToken(rows, path, part['system'], part['value']);
  const type = asObject(part['type']);
  if (type) addIdentifierType(rows, path, type, asText(part['value']));
};

/** https://hl7.org/fhir/R4/search.html#token: `:of-type` needs system, code and value, `:text` the type's text. */
function addIdentifierType(
  rows: RowCollector,
  path: string,
  type: JsonObject,
  value: string | undefined,
): void {
  addCodeText(rows, path, type['text']);
  if (value === undefined) return;
  for (const one of asList(type['coding'])) {
    const part = asObject(one);
    const code = asText(part?.['code']);
    if (code !== undefined) addToken(rows, derivedPaths(path).ofType, part?.['system'], `${code}|${value}`);
  }
}

/** A contact point's system (phone, email) is not a code system. */
const contactPoint: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  if (part) addToken(rows, path, null, part['value']);
};

const text: RowMaker = (value, path, rows, system) => {
  if (asText(value)) addToken(rows, path, system, value);
};

const boolean: RowMaker = (value, path, rows) => {
  if (typeof value === 'boolean') rows.tokens.push({ path, system: null, value: String(value) });
};

/** One token row; `system` and `value` as they stand in the resource. */
export function addToken(rows: RowCollector, path: string, system: unknown, value: unknown): void {
  rows.tokens.push({ path, system: asText(system) ?? null, value: asText(value) ?? UNCODED });
}

/** https://hl7.org/fhir/R4/search.html#token */
export const tokenRows: RowMakers = {
  Coding: coding,
  CodeableConcept: codeableConcept,
  Identifier: identifier,
  ContactPoint: contactPoint,
  boolean,
  code: text,
  string: text,
  id: text,
  uri: text,
  url: text,
  canonical: text,
  oid: text,
  uuid: text,
};
