import { resourceStaticType, type StaticType, type TypeSchema } from './schema.js';
import type { Step, Walk } from './steps.js';
import { UnsupportedExpression } from './syntax.js';

/** A walk in canonical form, and the static types of the values that it ends at. */
export interface SettledWalk {
  readonly steps: Walk;
  readonly ends: readonly StaticType[];
  /** Whether one resource may have several values there. */
  readonly several: boolean;
}

/**
 * Puts a walk into canonical form, so that two spellings of one path are equal: type names get their own
 * spelling and type filters that let everything through are left out. Undefined where nothing can ever be
 * found. Throws UnsupportedExpression for what cannot be known without a resource.
 */
export function settleWalk(schema: TypeSchema, resourceType: string, walk: Walk): SettledWalk | undefined {
  let ends: readonly StaticType[] = [resourceStaticType(resourceType)];
  let several = false;
  const steps: Step[] = [];
  for (const step of walk) {
    if (step.kind === 'member' && step.index !== null && several) {
      throw new UnsupportedExpression('index below a repeating element');
    }
    const next = settleStep(schema, ends, step);
    if (next.ends.length === 0) return undefined;
    if (next.step) steps.push(next.step);
    several ||= next.several;
    ends = next.ends;
  }
  return { steps, ends, several };
}

interface SettledStep {
  readonly ends: readonly StaticType[];
  /** Undefined where the step changes nothing. */
  readonly step: Step | undefined;
  readonly several: boolean;
}

function settleStep(schema: TypeSchema, ends: readonly StaticType[], step: Step): SettledStep {
  switch (step.kind) {
    case 'member':
      return settleMember(schema, ends, step);
    case 'type':
      return settleType(schema, ends, step.type);
    case 'target':
      return { ends: ends.filter(({ type }) => refers(type)), step, several: false };
    case 'where':
      return { ends, step, several: false };
    case 'condition':
      return { ends: [{ type: 'boolean', location: 'boolean', element: undefined }], step, several: false };
    case 'extension':
      return {
        ends: [{ type: 'Extension', location: 'Extension', element: undefined }],
        step,
        several: true,
      };
  }
}

function settleMember(
  schema: TypeSchema,
  ends: readonly StaticType[],
  step: Extract<Step, { kind: 'member' }>,
): SettledStep {
  if (ends.some(({ type, element }) => type === 'Resource' && element)) {
    throw new UnsupportedExpression(`${step.name} below a resource of any type`);
  }
  const fields = ends.flatMap((end) => schema.fields(end, step.name));
  return {
    ends: fields.map(({ type }) => type),
    step,
    several: step.index === null && fields.some(({ array }) => array),
  };
}

function settleType(schema: TypeSchema, ends: readonly StaticType[], wanted: string): SettledStep {
  const kept = ends.filter(({ type }) => schema.isA(type, wanted));
  const spelled = kept.find(({ type }) => type.toLowerCase() === wanted.toLowerCase())?.type ?? wanted;
  const step = kept.length === ends.length ? undefined : ({ kind: 'type', type: spelled } as const);
  return { ends: kept, step, several: false };
}

function refers(type: string): boolean {
  return type === 'Reference' || type === 'canonical' || type === 'uri';
}
