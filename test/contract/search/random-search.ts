import type { FhirResource, Quantity } from 'fhir/r4.js';
import {
  PREFIXES,
  type Compared,
  type ComparedQuantity,
  type Criterion,
  type Tenant,
} from './brute-force.js';
import type { Random } from './random.js';
import { parameterOf, PARAMETERS, type Parameter, type Token } from './sample-parameters.js';
import { UCUM } from './sample-data.js';

/** A search of one type; all criteria must hold. */
export interface RandomSearch {
  readonly type: string;
  readonly criteria: readonly Criterion[];
}

const CHAINS = [
  ['Observation', 'subject', 'Patient'],
  ['Observation', 'patient', 'Patient'],
  ['RiskAssessment', 'subject', 'Patient'],
  ['Patient', 'organization', 'Organization'],
  ['Organization', 'partof', 'Organization'],
] as const;

/** One to three parameters whose values are mostly taken from what is stored. */
export function randomSearch(random: Random, tenant: Tenant): RandomSearch {
  const type = random.pick([
    'Patient',
    'Patient',
    'Observation',
    'Observation',
    'RiskAssessment',
    'Organization',
  ]);
  const criteria = random.some(3, () => {
    const [from, code, to] = random.pick(CHAINS);
    if (from !== type || !random.once(2)) return plainCriterion(random, tenant, type);
    return { kind: 'chain' as const, code, type: to, criterion: plainCriterion(random, tenant, to) };
  });
  return { type, criteria };
}

function plainCriterion(random: Random, tenant: Tenant, type: string): Criterion {
  const code = random.pick(Object.keys(PARAMETERS[type] ?? {}));
  if (random.once(10)) return { kind: 'missing', code, missing: random.once(2) };
  const stored = [...tenant.values()].filter((resource) => resource.resourceType === type);
  return criterionOf(random, code, parameterOf(type, code), stored) ?? plainCriterion(random, tenant, type);
}

/** Undefined where nothing is stored that could be asked for. */
function criterionOf(
  random: Random,
  code: string,
  parameter: Parameter,
  stored: readonly FhirResource[],
): Criterion | undefined {
  switch (parameter.kind) {
    case 'string': {
      const texts = ask(random, stored.flatMap(parameter.of), (text) => part(random, text));
      return (
        texts && { kind: 'string', code, match: random.pick(['', ':exact', ':contains'] as const), texts }
      );
    }
    case 'token': {
      const known = stored.flatMap(parameter.of).filter((token) => token.code !== undefined);
      const tokens = ask(random, known, (token) => askedToken(random, token));
      return tokens && { kind: 'token', code, negated: random.once(4), tokens };
    }
    case 'uri': {
      const uris = ask(random, stored.flatMap(parameter.of), (uri) => uri);
      return uris && { kind: 'uri', code, uris };
    }
    case 'date': {
      const dates = stored.flatMap(parameter.of).flatMap(({ start, end }) => start ?? end ?? []);
      const values = ask(random, dates, (date) =>
        compared(random, date.slice(0, random.pick([4, 7, 10, 30]))),
      );
      return values && { kind: 'date', code, values };
    }
    case 'number': {
      const values = ask(random, stored.flatMap(parameter.of), (number) =>
        compared(random, digits(random, number)),
      );
      return values && { kind: 'number', code, values };
    }
    case 'quantity': {
      const values = ask(random, stored.flatMap(parameter.of), (quantity) => askedQuantity(random, quantity));
      return values && { kind: 'quantity', code, values };
    }
    case 'reference': {
      const named = stored.flatMap(parameter.of).filter((target) => target !== '');
      const targets = ask(random, named, (target) =>
        target.slice(random.once(2) ? 0 : target.indexOf('/') + 1),
      );
      return targets && { kind: 'reference', code, targets };
    }
  }
}

function ask<T, V>(random: Random, known: readonly T[], make: (value: T) => V): V[] | undefined {
  return known.length === 0 ? undefined : random.some(3, () => make(random.pick(known)));
}

/** A piece of a text, in other letters. White space at its ends would not count. */
function part(random: Random, text: string): string {
  const letters = [...text.normalize('NFC')];
  const from = random.once(3) ? random.below(letters.length) : 0;
  const piece = letters
    .slice(from, from + 1 + random.below(letters.length))
    .join('')
    .trim();
  return random.pick([piece, piece.toUpperCase(), piece.normalize('NFD').replaceAll(/\p{M}/gu, '')]) || text;
}

function askedToken(
  random: Random,
  { system, code }: Token,
): { system: string | null | undefined; code: string | undefined } {
  switch (random.below(5)) {
    case 0:
      return { system: null, code };
    case 1:
      return system === undefined ? { system: undefined, code } : { system, code: undefined };
    case 2:
      return { system: system ?? null, code };
    default:
      return { system: undefined, code };
  }
}

function compared(random: Random, text: string): Compared {
  return { prefix: random.pick(PREFIXES), text };
}

function digits(random: Random, number: number): string {
  return random.pick([String(number), number.toFixed(2), number.toFixed(1)]);
}

function askedQuantity(random: Random, { value = 0, system, code, unit }: Quantity): ComparedQuantity {
  const number = compared(random, digits(random, value));
  const word = code ?? unit;
  if (word === undefined || random.once(4)) return number;
  if (system === undefined || code === undefined || random.once(3))
    return { ...number, system: '', code: word };
  if (code === 'g' && random.once(2))
    return { ...compared(random, digits(random, value * 1000)), system, code: 'mg' };
  if (code === 'mg' && random.once(2))
    return { ...compared(random, (value * 1000).toFixed(0)), system: UCUM, code: 'ug' };
  return { ...number, system, code };
}

/** The search as a query string. */
export function toQuery(criteria: readonly Criterion[]): string {
  return new URLSearchParams(criteria.map(toParameter)).toString();
}

function toParameter(criterion: Criterion): [name: string, value: string] {
  const { kind, code } = criterion;
  switch (kind) {
    case 'missing':
      return [`${code}:missing`, String(criterion.missing)];
    case 'chain': {
      const [name, value] = toParameter(criterion.criterion);
      return [`${code}${code === 'subject' ? `:${criterion.type}` : ''}.${name}`, value];
    }
    case 'string':
      return [`${code}${criterion.match}`, criterion.texts.map(escape).join(',')];
    case 'token':
      return [`${code}${criterion.negated ? ':not' : ''}`, criterion.tokens.map(tokenText).join(',')];
    case 'uri':
      return [code, criterion.uris.map(escape).join(',')];
    case 'date':
    case 'number':
      return [code, criterion.values.map(({ prefix, text }) => prefix + text).join(',')];
    case 'quantity':
      return [code, criterion.values.map(quantityText).join(',')];
    case 'reference':
      return [code, criterion.targets.join(',')];
  }
}

function tokenText({
  system,
  code,
}: {
  system: string | null | undefined;
  code: string | undefined;
}): string {
  return `${system === undefined ? '' : `${escape(system ?? '')}|`}${escape(code ?? '')}`;
}

function quantityText({ prefix, text, system, code }: ComparedQuantity): string {
  return `${prefix}${text}${code === undefined ? '' : `|${escape(system ?? '')}|${escape(code)}`}`;
}

function escape(text: string): string {
  return text.replaceAll(/[\\,$|]/g, String.raw`\$&`);
}
