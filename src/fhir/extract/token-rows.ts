import { asList, asObject, asText } from './element-values.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker, RowMakers } from './row-maker.js';

/** The value of an element that has no code, see TokenValue. */
const UNCODED = '';

const coding: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  if (part) addToken(rows, path, part['system'], part['code']);
};

const codeableConcept: RowMaker = (value, path, rows) => {
  const concept = asObject(value);
  const codings = asList(concept?.['coding']);
  for (const part of codings) coding(part, path, rows, null);
  if (concept && codings.length === 0) addToken(rows, path, null, UNCODED);
};

const identifier: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  if (part) addToken(rows, path, part['system'], part['value']);
};

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

function addToken(rows: RowCollector, path: string, system: unknown, value: unknown): void {
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
