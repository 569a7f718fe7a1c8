/** ValueSet/$expand: https://hl7.org/fhir/R4/valueset-operation-expand.html */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { RequestDetails } from '../model/request.js';
import { parseCanonical } from '../terminology/canonical.js';
import { Composition, type SystemVersions } from '../terminology/compose.js';
import { toExpansion, type ExpansionOptions, type ExpansionParameter } from '../terminology/expansion.js';
import type { Library } from '../terminology/library.js';
import type { Composed } from '../terminology/terminology.js';
import type { ValueSet } from '../terminology/value-set.js';
import { readParameters, single, singleInteger, type OperationParameter } from './parameters.js';
import { assertServed, invalid, singleBoolean } from './terminology-parameters.js';
import { subjectValueSet, VALUE_SET_PARAMETERS } from './value-set-subject.js';

const FLAGS = [
  'activeOnly',
  'includeDesignations',
  'includeDefinition',
  'excludeNested',
  'excludeNotForUI',
  'excludePostCoordinated',
] as const;
const VERSIONS = ['system-version', 'check-system-version', 'force-system-version'] as const;
const EXCLUDED = 'exclude-system';

/** Names of the parameters that are served, for TerminologyCapabilities. */
export const EXPANSION_PARAMETERS: readonly string[] = [
  ...VALUE_SET_PARAMETERS,
  'filter',
  'offset',
  'count',
  'displayLanguage',
  ...FLAGS,
  EXCLUDED,
  ...VERSIONS,
];
const REFUSED = ['context', 'contextDirection', 'date', 'designation'];

/** The list is flat: nesting is for presentation, and a server may leave it out. */
export async function expand(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = readParameters(request, 'valueSet');
  assertServed(parameters, { served: EXPANSION_PARAMETERS, refused: REFUSED });
  const options = readOptions(parameters);
  const library = await server.terminology.library();
  const valueSet = await subjectValueSet(server, request, { parameters, library });
  const composed = changesMembers(parameters)
    ? await composeAnew(valueSet, library, parameters)
    : await server.terminology.compose(library, valueSet);
  const expanding = { ...composed, valueSet, now: server.clock() };
  return resourceResponse(request, toExpansion(expanding, options));
}

function changesMembers(parameters: readonly OperationParameter[]): boolean {
  return parameters.some(({ name }) => name === EXCLUDED || VERSIONS.some((version) => version === name));
}

async function composeAnew(
  valueSet: ValueSet,
  library: Library,
  parameters: readonly OperationParameter[],
): Promise<Composed> {
  const composition = new Composition(library, { versions: readVersions(parameters) });
  const members = await composition.members(await without(valueSet, library, parameters));
  return { members, composition };
}

function readOptions(parameters: readonly OperationParameter[]): ExpansionOptions {
  const [offset = 0, count] = ['offset', 'count'].map((name) => singleInteger(parameters, name));
  if (offset < 0 || (count ?? 0) < 0) throw invalid('offset and count must not be negative.');
  const is = (name: (typeof FLAGS)[number]): boolean => singleBoolean(parameters, name);
  return {
    filter: single(parameters, 'filter'),
    offset,
    count,
    activeOnly: is('activeOnly'),
    excludeNotForUI: is('excludeNotForUI'),
    includeDesignations: is('includeDesignations'),
    includeDefinition: is('includeDefinition'),
    displayLanguage: single(parameters, 'displayLanguage'),
    parameters: parameters.flatMap(toTold),
  };
}

function toTold({ name, text }: OperationParameter): readonly ExpansionParameter[] {
  if (text === undefined || VALUE_SET_PARAMETERS.includes(name)) return [];
  if (FLAGS.some((flag) => flag === name)) return [{ name, valueBoolean: text === 'true' }];
  if (name === 'offset' || name === 'count') return [{ name, valueInteger: Number(text) }];
  return name.includes('system') ? [{ name, valueUri: text }] : [{ name, valueString: text }];
}

function readVersions(parameters: readonly OperationParameter[]): SystemVersions {
  const [preferred, demanded, forced] = VERSIONS.map((name) => {
    const canonicals = parameters.filter((one) => one.name === name).map(({ text }) => toVersion(name, text));
    return new Map(canonicals);
  });
  return {
    preferred: preferred ?? new Map(),
    demanded: demanded ?? new Map(),
    forced: forced ?? new Map(),
  };
}

function toVersion(name: string, text: string | undefined): readonly [url: string, version: string] {
  const { url, version } = parseCanonical(text ?? '');
  if (url === '' || version === undefined) throw invalid(`The parameter '${name}' is system|version.`);
  return [url, version];
}

/** `exclude-system` excludes as the value set itself could. */
async function without(
  valueSet: ValueSet,
  library: Library,
  parameters: readonly OperationParameter[],
): Promise<ValueSet> {
  const systems = parameters.filter(({ name }) => name === EXCLUDED).map(({ text }) => text ?? '');
  const exclude = systems.map((text) => {
    const { url: system, version } = parseCanonical(text);
    return { system, version, concepts: undefined, filters: [], valueSets: [] };
  });
  for (const { system, version } of exclude) {
    const known = await library.codeSystem({ url: system, version });
    if (version !== undefined && known === undefined) throw invalid(`There is no ${system}|${version}.`);
  }
  return exclude.length === 0 ? valueSet : { ...valueSet, exclude: [...valueSet.exclude, ...exclude] };
}
