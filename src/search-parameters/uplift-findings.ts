import type { SearchParameterDefinition } from '../fhir/r4/compact.js';
import { typesOfBase } from '../fhir/search-parameters.js';
import type { ChainUplift } from '../fhir/uplift.js';
import type { ParameterRecord } from './parameter-record.js';
import type { PlacedUplift, UpliftFinding } from './uplift.js';

type Records = ReadonlyMap<string, ParameterRecord>;

/** Names of elements as document stores take them; `_id` and `resource` are their own. */
const ELEMENT = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const RESERVED: ReadonlySet<string> = new Set(['_id', 'resource']);

/** What is wrong with the uplifts of a parameter that is to stand beside the others. */
export function upliftFindings(record: ParameterRecord, records: Records): readonly UpliftFinding[] {
  const { uplifts } = record;
  if (!uplifts) return [];
  return [
    ...uplifts.findings,
    ...kindFindings(record),
    ...uplifts.tokens.flatMap(({ place, uplift }) =>
      /\s/.test(uplift.system) ? [{ place, message: 'a system is a URI, without spaces' }] : [],
    ),
    ...uplifts.chains.flatMap((chain) => chainFindings(record, chain, records)),
    ...elementFindings(record, records),
  ];
}

/** Tokens are lifted of token parameters, and of what a chain has lifted. */
function kindFindings({ uplifts, definition: { type } }: ParameterRecord): readonly UpliftFinding[] {
  const { tokens = [], chains = [] } = uplifts ?? {};
  const lone = type === 'token' || chains.length > 0 ? [] : tokens;
  return [
    ...lone.map(({ place }) => ({
      place,
      message: 'tokens are lifted of parameters of type token, or of references beside a lifted chain',
    })),
    ...(type === 'reference' ? [] : chains).map(({ place }) => ({
      place,
      message: 'a chain is lifted of a parameter of type reference',
    })),
  ];
}

/** The code must mean a token or a string on one of the types that the reference leads to, at least. */
function chainFindings(
  { definition: { type, target = [] } }: ParameterRecord,
  { place, uplift }: PlacedUplift<ChainUplift>,
  records: Records,
): readonly UpliftFinding[] {
  if (type !== 'reference') return [];
  const knowing = typesKnowing(uplift, records);
  if (target.some((one) => knowing.has(one))) return [];
  const where =
    target.length === 0 ? 'and SearchParameter.target names none' : `none of ${target.join(', ')}`;
  const message = `"${uplift.code}" has to be a token or string parameter of a target type, ${where} has it`;
  return [{ place, message: target.length === 0 ? message.replace(' has it', '') : message }];
}

/** Target types on which the code means nothing that could be lifted, beside others on which it does. */
export function upliftWarnings(
  { isActive, uplifts, definition: { target = [] } }: ParameterRecord,
  records: Records,
): readonly UpliftFinding[] {
  if (!isActive || !uplifts) return [];
  return uplifts.chains.flatMap(({ place, uplift }): UpliftFinding[] => {
    const knowing = typesKnowing(uplift, records);
    const without = target.filter((one) => !knowing.has(one));
    if (without.length === 0) return [];
    const types = without.join(', ');
    return [
      {
        place,
        message: `"${uplift.code}" is no token or string parameter of ${types}, nothing is lifted there`,
      },
    ];
  });
}

/** The types on which a parameter in force has the code, and values that can be lifted. */
function typesKnowing({ code }: ChainUplift, records: Records): ReadonlySet<string> {
  const types = new Set<string>();
  for (const { isActive, definition } of records.values()) {
    if (!isActive || definition.code !== code || !isLiftable(definition)) continue;
    for (const type of definition.base.flatMap(typesOfBase)) types.add(type);
  }
  return types;
}

/** Whether values of such a parameter can be lifted. */
export function isLiftable({ code, type }: Pick<SearchParameterDefinition, 'code' | 'type'>): boolean {
  return (type === 'token' || type === 'string') && !code.startsWith('_');
}

/** An element stands beside those of all parameters of a type, and of all their uplifts. */
function elementFindings(record: ParameterRecord, records: Records): readonly UpliftFinding[] {
  const { uplifts, definition } = record;
  const { tokens = [], chains = [] } = uplifts ?? {};
  const all = [...tokens, ...chains];
  const others = overlapping(record, records);
  return all.flatMap(({ place, uplift }): UpliftFinding[] => {
    const { element } = uplift;
    const message = (text: string): UpliftFinding[] => [{ place, message: text }];
    if (!ELEMENT.test(element) || RESERVED.has(element))
      return message(
        'an element is named by a letter or "_" and up to 63 more letters, digits, "-" and "_", but not "_id" or "resource"',
      );
    if (element === definition.code || others.some((other) => other.definition.code === element))
      return message(`"${element}" is the code of a search parameter of the same type`);
    const meaning = JSON.stringify(uplift);
    const known = [...all.map((one) => one.uplift), ...others.flatMap(upliftsOf)];
    return known.some((other) => other.element === element && JSON.stringify(other) !== meaning)
      ? message(`"${element}" is the element of another uplift of the same type`)
      : [];
  });
}

function upliftsOf({ uplifts }: ParameterRecord): readonly { readonly element: string }[] {
  const { tokens = [], chains = [] } = uplifts ?? {};
  return [...tokens, ...chains].map(({ uplift }) => uplift);
}

/** Active parameters that share a type with this one. */
function overlapping({ id, definition }: ParameterRecord, records: Records): readonly ParameterRecord[] {
  const types = new Set(definition.base.flatMap(typesOfBase));
  return [...records.values()].filter(
    (other) =>
      other.isActive &&
      other.id !== id &&
      other.definition.base.flatMap(typesOfBase).some((type) => types.has(type)),
  );
}
