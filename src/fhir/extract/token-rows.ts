import { asList, asObject, asText } from './element-values.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker, RowMakers } from './row-maker.js';

const coding: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  if (part) addToken(rows, path, part['system'], part['code']);
};

const codeableConcept: RowMaker = (value, path, rows) => {
  for (const part of asList(asObject(value)?.['coding'])) coding(part, path, rows, null);
};

const identifier: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  if (part) addToken(rows, path, part['system'], part['value']);
};

/** A contact point's system (phone, email) is not a code system. */
const contactPoint: RowMaker = (value, path, rows) => {
  addToken(rows, path, null, asObject(value)?.['value']);
};

const text: RowMaker = (value, path, rows, system) => {
  addToken(rows, path, system, value);
};

const boolean: RowMaker = (value, path, rows) => {
  if (typeof value === 'boolean') rows.tokens.push({ path, system: null, value: String(value) });
};

function addToken(rows: RowCollector, path: string, system: unknown, value: unknown): void {
  const code = asText(value);
  if (code !== undefined) rows.tokens.push({ path, system: asText(system) ?? null, value: code });
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
