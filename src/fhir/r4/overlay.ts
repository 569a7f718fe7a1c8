import type { CompactElement, CompactStructure } from './compact.js';

/**
 * The definitions that the build reads are edited by their publisher in twelve places. This overlay restores
 * what FHIR R4 4.0.1 says. Three of the publisher's edits are kept because they repair rules without changing
 * their meaning: app-4 (its official form has a wrong code), bdl-8 (fails on entries without fullUrl) and
 * tim-9 (fails where `when` repeats).
 */
interface Restoration {
  /** Paths that R4 does not have; everything below them goes too. */
  readonly drop?: readonly string[];
  /** Elements that differ, whole subtrees included: put in place of the same path. */
  readonly change?: readonly (Partial<CompactElement> & { readonly path: string })[];
  /** Elements that are missing, in order, placed after the element `after` and all that is below it. */
  readonly insert?: { readonly after: string; readonly elements: readonly CompactElement[] };
}

const PARTICIPANTS = [
  'PractitionerRole',
  'Practitioner',
  'Organization',
  'Device',
  'Patient',
  'RelatedPerson',
];
const MEASURED = [
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Location',
  'Device',
  'RelatedPerson',
  'Group',
];

/** Resource types that are in the source but not in R4. */
const FOREIGN_TYPES = new Set(['SubscriptionStatus']);

const FOREIGN_PARAMETERS = new Set([
  'http://hl7.org/fhir/SearchParameter/DetectedIssue-status',
  'http://hl7.org/fhir/SearchParameter/DeviceDefinition-classification',
  'http://hl7.org/fhir/SearchParameter/ServiceRequest-order-detail',
]);

const PARAMETER_TARGETS: ReadonlyMap<string, readonly string[]> = new Map([
  ['http://hl7.org/fhir/SearchParameter/clinical-patient', ['Patient', 'Group']],
  ['http://hl7.org/fhir/SearchParameter/MeasureReport-subject', MEASURED],
]);

function restorations(): Readonly<Record<string, Restoration>> {
  return {
    Meta: { drop: below('Meta', 'project author onBehalfOf account accounts compartment') },
    Binary: { drop: ['Binary.url'] },
    DeviceDefinition: { drop: below('DeviceDefinition', 'classification bodySite') },
    ObservationDefinition: { drop: ['ObservationDefinition.publisher'] },
    ResearchStudy: {
      drop: below(
        'ResearchStudy',
        'name label studyDesign region descriptionSummary classifier associatedParty progressStatus whyStopped ' +
          'recruitment comparisonGroup objective.description outcomeMeasure result',
      ),
      change: [{ path: 'ResearchStudy.site', types: [{ code: 'Reference', targets: ['Location'] }] }],
    },
    DetectedIssue: {
      change: [
        {
          path: 'DetectedIssue.status',
          binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/observation-status' },
        },
      ],
    },
    MeasureReport: {
      change: [{ path: 'MeasureReport.subject', types: [{ code: 'Reference', targets: MEASURED }] }],
    },
    AuditEvent: {
      change: [{ path: 'AuditEvent.source.observer', types: [{ code: 'Reference', targets: PARTICIPANTS }] }],
    },
    Bundle: { change: [{ path: 'Bundle.entry.response.outcome', types: [{ code: 'Resource' }] }] },
    EvidenceVariable: evidenceVariable(),
  };
}

function below(type: string, names: string): string[] {
  return names.split(' ').map((name) => `${type}.${name}`);
}

/** https://hl7.org/fhir/R4/evidencevariable-definitions.html */
function evidenceVariable(): Restoration {
  const at = 'EvidenceVariable.characteristic';
  const plain = { min: 0, max: 1, constraints: [] };
  return {
    drop: below(
      at,
      'linkId note definitionReference definitionCanonical definitionCodeableConcept definitionExpression ' +
        'definitionId definitionByTypeAndValue definitionByCombination instances[x] duration[x] timeFromEvent exclude ' +
        'description',
    ),
    change: [{ path: at, min: 1 }],
    insert: {
      after: `${at}.modifierExtension`,
      elements: [
        { ...plain, path: `${at}.description`, types: [{ code: 'string' }] },
        { ...plain, path: `${at}.definition[x]`, min: 1, types: DEFINITION_TYPES, isSummary: true },
        { ...plain, path: `${at}.usageContext`, max: Infinity, types: [{ code: 'UsageContext' }] },
        { ...plain, path: `${at}.exclude`, types: [{ code: 'boolean' }] },
        { ...plain, path: `${at}.participantEffective[x]`, types: EFFECTIVE_TYPES },
        { ...plain, path: `${at}.timeFromStart`, types: [{ code: 'Duration' }] },
        {
          ...plain,
          path: `${at}.groupMeasure`,
          types: [{ code: 'code' }],
          binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/group-measure' },
        },
      ],
    },
  };
}

const DEFINITION_TYPES = [
  { code: 'Reference', targets: ['Group'] },
  { code: 'canonical', targets: ['ActivityDefinition'] },
  { code: 'CodeableConcept' },
  { code: 'Expression' },
  { code: 'DataRequirement' },
  { code: 'TriggerDefinition' },
];
const EFFECTIVE_TYPES = [{ code: 'dateTime' }, { code: 'Period' }, { code: 'Duration' }, { code: 'Timing' }];

/** R4's structures: the publisher's own types dropped, its edits undone. */
export function restoreStructures(structures: readonly CompactStructure[]): CompactStructure[] {
  const table = restorations();
  const official = structures.filter((structure) => !FOREIGN_TYPES.has(structure.type));
  return official.map((structure) => {
    const restoration = table[structure.type];
    return restoration ? { ...structure, elements: restore(structure.elements, restoration) } : structure;
  });
}

function restore(elements: readonly CompactElement[], restoration: Restoration): CompactElement[] {
  const dropped = restoration.drop ?? [];
  const kept = elements.filter(
    ({ path }) => !dropped.some((drop) => path === drop || path.startsWith(`${drop}.`)),
  );
  const changes = new Map(restoration.change?.map((change) => [change.path, change]));
  const changed = kept.map((element) => changeElement(element, changes.get(element.path)));
  return restoration.insert ? insertElements(changed, restoration.insert) : changed;
}

/** A rule that came with a changed element of EvidenceVariable names elements that R4 does not have. */
function changeElement(element: CompactElement, change: Partial<CompactElement> | undefined): CompactElement {
  if (!change) return element;
  const constraints = element.constraints.filter(({ key }) => key !== 'evv-1');
  return { ...element, constraints, ...change };
}

function insertElements(
  elements: readonly CompactElement[],
  { after, elements: added }: NonNullable<Restoration['insert']>,
): CompactElement[] {
  const rule =
    elements.find(({ path }) => path === after)?.constraints.filter(({ key }) => key === 'ele-1') ?? [];
  return elements.flatMap((element) =>
    element.path === after ? [element, ...added.map((one) => ({ ...one, constraints: rule }))] : [element],
  );
}

/** What the overlay knows a search parameter by, and what it restores. */
interface OfficialParameter {
  readonly url: string;
  readonly target?: readonly string[];
}

/** R4's 1,375 search parameters: back-ported ones dropped, two target lists restored. */
export function restoreSearchParameters<Parameter extends OfficialParameter>(
  parameters: readonly Parameter[],
): Parameter[] {
  const official = parameters.filter(({ url }) => !FOREIGN_PARAMETERS.has(url));
  return official.map((parameter) => {
    const target = PARAMETER_TARGETS.get(parameter.url);
    return target ? { ...parameter, target } : parameter;
  });
}
