import type {
  CodeableConcept,
  Coding,
  DomainResource,
  Identifier,
  Period,
  Quantity,
  Reference,
} from 'fhir/r4.js';

/** One index row: parameter, then its value columns. */
export interface FloorRows {
  readonly tokens: [parameter: string, value: string, system: string][];
  readonly strings: [parameter: string, normalized: string, exact: string][];
  readonly dates: [parameter: string, low: number, high: number][];
  readonly quantities: [parameter: string, value: number, system: string, code: string][];
  readonly uris: [parameter: string, value: string][];
  readonly links: [parameter: string, type: string, id: string][];
}

const DAY_MS = 86_400_000;
const BEGIN_OF_TIME = -62_135_596_800_000;
const END_OF_TIME = 253_402_300_799_000;
const MAX_TEXT = 200;

/** Adds rows by hand, without a look at definitions: what indexing costs at least. */
export class RowWriter implements FloorRows {
  readonly tokens: FloorRows['tokens'] = [];
  readonly strings: FloorRows['strings'] = [];
  readonly dates: FloorRows['dates'] = [];
  readonly quantities: FloorRows['quantities'] = [];
  readonly uris: FloorRows['uris'] = [];
  readonly links: FloorRows['links'] = [];

  meta({ meta }: DomainResource): void {
    for (const profile of meta?.profile ?? []) this.uris.push(['_profile', profile]);
    this.codings('_tag', meta?.tag);
  }

  code(parameter: string, value: string | boolean | undefined, system = ''): void {
    if (value !== undefined) this.tokens.push([parameter, String(value), system]);
  }

  codings(parameter: string, codings: readonly Coding[] | undefined): void {
    for (const { system = '', code = '' } of codings ?? []) this.tokens.push([parameter, code, system]);
  }

  concept(parameter: string, concept: CodeableConcept | undefined): void {
    this.codings(parameter, concept?.coding);
  }

  concepts(parameter: string, concepts: readonly CodeableConcept[] | undefined): void {
    for (const { coding } of concepts ?? []) this.codings(parameter, coding);
  }

  identifiers(identifiers: readonly Identifier[] | undefined): void {
    for (const { system = '', value = '' } of identifiers ?? [])
      this.tokens.push(['identifier', value, system]);
  }

  text(parameter: string, ...texts: readonly (string | undefined)[]): void {
    for (const text of texts) {
      if (text) this.strings.push([parameter, normalize(text).slice(0, MAX_TEXT), text.slice(0, MAX_TEXT)]);
    }
  }

  date(parameter: string, value: string | undefined): void {
    if (value === undefined) return;
    const low = Date.parse(value);
    this.dates.push([parameter, low, value.length === 10 ? low + DAY_MS - 1 : low]);
  }

  period(parameter: string, period: Period | undefined): void {
    if (!period) return;
    const low = period.start === undefined ? BEGIN_OF_TIME : Date.parse(period.start);
    this.dates.push([parameter, low, period.end === undefined ? END_OF_TIME : Date.parse(period.end)]);
  }

  quantity(parameter: string, quantity: Quantity | undefined): void {
    if (quantity?.value === undefined) return;
    const { value, system = '', code = quantity.unit ?? '' } = quantity;
    this.quantities.push([parameter, value, system, code]);
  }

  link(parameter: string, reference: Reference | undefined): void {
    const text = reference?.reference ?? '';
    const slash = text.indexOf('/');
    if (slash > 0) this.links.push([parameter, text.slice(0, slash), text.slice(slash + 1)]);
  }

  listOfLinks(parameter: string, references: readonly (Reference | undefined)[] | undefined): void {
    for (const reference of references ?? []) this.link(parameter, reference);
  }
}

function normalize(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase();
}
