import type { ChainUplift, TokenUplift, Uplifts } from '../fhir/uplift.js';
import type { Resource } from '../model/resource.js';

/** Extensions of a SearchParameter, as Smile CDR defines them. */
export const UPLIFT_TOKEN = 'https://smilecdr.com/fhir/ns/StructureDefinition/searchparameter-uplift-token';
export const UPLIFT_CHAIN =
  'https://smilecdr.com/fhir/ns/StructureDefinition/searchparameter-uplift-refchain';

/** What is wrong with an extension, and where: `extension[0].extension[1]`. */
export interface UpliftFinding {
  readonly place: string;
  readonly message: string;
}

/** An uplift, and where its extension is. */
export interface PlacedUplift<Uplift> {
  readonly place: string;
  readonly uplift: Uplift;
}

/** What the extensions of a SearchParameter say. */
export interface ParsedUplifts {
  readonly tokens: readonly PlacedUplift<TokenUplift>[];
  readonly chains: readonly PlacedUplift<ChainUplift>[];
  readonly findings: readonly UpliftFinding[];
}

type Json = Readonly<Record<string, unknown>>;

/** The uplift extensions of a SearchParameter resource; undefined where it has none. Others are somebody else's. */
export function parseUplifts(resource: Resource): ParsedUplifts | undefined {
  const extensions = objects(resource['extension']);
  if (!extensions.some(({ url }) => url === UPLIFT_TOKEN || url === UPLIFT_CHAIN)) return undefined;
  const of = (url: string, names: readonly string[]): readonly Children[] =>
    extensions.flatMap((extension, at) =>
      extension['url'] === url ? [readChildren(extension, `extension[${at}]`, names)] : [],
    );
  const tokens = of(UPLIFT_TOKEN, ['system', 'token-to-element']);
  const chains = of(UPLIFT_CHAIN, ['code', 'element-name']);
  return {
    tokens: tokens.flatMap(({ place, values: [system, element] }) =>
      system !== undefined && element !== undefined ? [{ place, uplift: { system, element } }] : [],
    ),
    chains: chains.flatMap(({ place, values: [code, element] }) =>
      code !== undefined && element !== undefined ? [{ place, uplift: { code, element } }] : [],
    ),
    findings: [...tokens, ...chains].flatMap(({ findings }) => findings),
  };
}

/** The uplifts alone. */
export function toUplifts({ tokens, chains }: ParsedUplifts): Uplifts {
  return { tokens: tokens.map(({ uplift }) => uplift), chains: chains.map(({ uplift }) => uplift) };
}

/** What one extension says. */
interface Children {
  readonly place: string;
  /** In the order of the names; undefined where a child is missing or has no text. */
  readonly values: readonly (string | undefined)[];
  readonly findings: readonly UpliftFinding[];
}

/** Each child once, and no other: half of an uplift would be none that anybody meant. */
function readChildren(extension: Json, place: string, names: readonly string[]): Children {
  const children = objects(extension['extension']);
  const findings = children.flatMap(({ url }, at): UpliftFinding[] => {
    const isKnown = names.includes(String(url));
    const isRepeated = children.findIndex((child) => child['url'] === url) < at;
    if (isKnown && !isRepeated) return [];
    const message = isKnown ? `"${String(url)}" is given twice` : `there is no child "${String(url)}" here`;
    return [{ place: `${place}.extension[${at}]`, message: `${message}; use ${names.join(' and ')}` }];
  });
  const values = names.map((name) => textOf(children.find(({ url }) => url === name)));
  names.forEach((name, at) => {
    if (values[at] !== undefined) return;
    const child = children.findIndex(({ url }) => url === name);
    findings.push({
      place: child < 0 ? place : `${place}.extension[${child}]`,
      message: `a child "${name}" with a uri, a code or a string is needed`,
    });
  });
  return { place, values, findings };
}

/** The samples have a uri in one place and a code in another. */
function textOf(child: Json | undefined): string | undefined {
  const value = child?.['valueUri'] ?? child?.['valueCode'] ?? child?.['valueString'];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value)
    ? value.filter((item): item is Json => typeof item === 'object' && item !== null)
    : [];
}
