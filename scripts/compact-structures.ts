import type {
  CompactConstraint,
  CompactElement,
  CompactStructure,
  ElementBinding,
  ElementType,
} from '../src/fhir/r4/compact.js';
import type { SourceElement, SourceStructure, SourceType } from './source-definitions.js';

const FHIR_TYPE = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type';
const SYSTEM_TYPE = 'http://hl7.org/fhirpath/System.';
const SIMPLE_QUANTITY = 'http://hl7.org/fhir/StructureDefinition/SimpleQuantity';
const KINDS = new Set(['resource', 'complex-type', 'primitive-type']);

/** https://hl7.org/fhir/R4/datatypes.html#SimpleQuantity, told where an element demands that profile. */
const NO_COMPARATOR: CompactConstraint = {
  key: 'sqt-1',
  severity: 'error',
  human: 'The comparator is not used on a SimpleQuantity',
  expression: 'comparator.empty()',
};

/** The structures of types; profiles on types and logical models are left out. */
export function compactStructures(sources: readonly SourceStructure[]): CompactStructure[] {
  const types = sources.filter(({ kind, derivation }) => KINDS.has(kind) && derivation !== 'constraint');
  return types.map((source) => ({
    type: source.type,
    url: source.url,
    kind: source.kind as CompactStructure['kind'],
    abstract: source.abstract,
    base: source.baseDefinition ? lastSegment(source.baseDefinition) : null,
    elements: source.snapshot.element
      .filter(({ path }) => !(source.kind === 'primitive-type' && path.endsWith('.value')))
      .map((element) => compactElement(element, source.kind)),
  }));
}

function compactElement(element: SourceElement, kind: string): CompactElement {
  const binding = compactBinding(element);
  return {
    path: element.path,
    min: element.min,
    max: element.max === '*' ? Infinity : Number(element.max),
    types: compactTypes(element, kind),
    constraints: compactConstraints(element),
    ...(binding ? { binding } : {}),
    ...(element.contentReference
      ? { contentReference: element.contentReference.split('#').pop() ?? '' }
      : {}),
    ...(element.isModifier ? { isModifier: true as const } : {}),
    ...(element.isSummary ? { isSummary: true as const } : {}),
  };
}

/** R4 types `Resource.id` as a string; its rules are those of an id. */
function compactTypes(element: SourceElement, kind: string): ElementType[] {
  if (kind === 'resource' && /^[^.]+\.id$/.test(element.path)) return [{ code: 'id' }];
  return (element.type ?? []).map(compactType);
}

function compactType(type: SourceType): ElementType {
  const targets = type.targetProfile?.map(lastSegment) ?? [];
  const code = typeCode(type);
  return targets.length === 0 || targets.includes('Resource') ? { code } : { code, targets };
}

function typeCode({ code, extension }: SourceType): string {
  if (!code.startsWith(SYSTEM_TYPE)) return code;
  const named = extension?.find(({ url }) => url === FHIR_TYPE)?.valueUrl;
  return named ?? code.slice(SYSTEM_TYPE.length).toLowerCase();
}

function compactConstraints(element: SourceElement): CompactConstraint[] {
  const own = (element.constraint ?? []).map(({ key, severity, human, expression = '' }) => {
    return { key, severity, human, expression };
  });
  const simple = element.type?.some(({ profile }) => profile?.includes(SIMPLE_QUANTITY));
  return simple ? [...own, NO_COMPARATOR] : own;
}

function compactBinding({ binding }: SourceElement): ElementBinding | undefined {
  if (!binding?.valueSet) return undefined;
  const valueSet = binding.valueSet.split('|')[0] ?? '';
  return { strength: binding.strength as ElementBinding['strength'], valueSet };
}

function lastSegment(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
