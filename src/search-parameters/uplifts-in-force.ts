import { bindParameter } from '../fhir/expression/bind.js';
import type { RegisteredSearchParameter } from '../fhir/indexed-path.js';
import type { SearchParameterDefinition } from '../fhir/r4/compact.js';
import { typesOfBase, type SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { Uplifts } from '../fhir/uplift.js';
import type { CopyRule } from '../storage/store.js';
import {
  copyRules,
  liftedPaths,
  type TargetParameters,
  type UpliftedParameter,
  type UpliftPath,
  upliftPaths,
} from './lifted-values.js';
import type { PathKey } from './own-path.js';
import type { ParameterRecord } from './parameter-record.js';
import { toUplifts } from './uplift.js';

const NO_RULES: readonly CopyRule[] = [];

/** The uplifts of one time. Where there are none, nothing costs more than a comparison. */
export class UpliftsInForce {
  private readonly byUrl: ReadonlyMap<string, Uplifts>;
  private readonly decorated = new Map<string, RegisteredSearchParameter>();
  private readonly rules: ReadonlyMap<string, readonly CopyRule[]>;
  private readonly copyPaths: ReadonlySet<string>;
  private readonly targets: readonly string[];

  constructor(
    records: Iterable<ParameterRecord>,
    private readonly registry: SearchParameterRegistry,
    /** Whether all data has rows of the path. */
    private readonly isComplete: (path: PathKey) => boolean,
  ) {
    const lifting = [...records].filter(({ isActive, uplifts }) => isActive && uplifts);
    this.byUrl = new Map(
      lifting.flatMap(({ definition, uplifts }) => (uplifts ? [[definition.url, toUplifts(uplifts)]] : [])),
    );
    const rules = lifting.flatMap(({ definition }) => this.rulesOf(definition));
    this.copyPaths = new Set(rules.map(({ type, copyPath }) => `${type} ${copyPath}`));
    this.rules = byType(rules);
    this.targets = [...new Set(rules.map(({ targetType }) => targetType))];
  }

  /** The parameter with what is lifted of it. */
  of(resourceType: string, parameter: RegisteredSearchParameter): RegisteredSearchParameter {
    const uplifts = this.byUrl.get(parameter.url);
    if (!uplifts) return parameter;
    const key = `${resourceType} ${parameter.code}`;
    const known = this.decorated.get(key);
    if (known) return known;
    const lifted = liftedPaths({ resourceType, parameter, uplifts }, this.registry, this.isComplete);
    const made = { ...parameter, lifted };
    this.decorated.set(key, made);
    return made;
  }

  /** What is copied between resources of the type and others, whichever way they refer. */
  rulesFor(resourceType: string): readonly CopyRule[] {
    return this.rules.get(resourceType) ?? NO_RULES;
  }

  /** All rules for copies that resources of the type have. */
  copiesOf(resourceType: string): readonly CopyRule[] {
    return this.rulesFor(resourceType).filter(({ type }) => type === resourceType);
  }

  /** Types whose values are copied. */
  targetTypes(): readonly string[] {
    return this.targets;
  }

  /** Whether anything is copied at all. */
  hasRules(): boolean {
    return this.rules.size > 0;
  }

  /** Whether the copies of the path are kept up to date. */
  maintains({ resourceType, path }: PathKey): boolean {
    return this.copyPaths.has(`${resourceType} ${path}`);
  }

  private rulesOf(definition: SearchParameterDefinition): readonly CopyRule[] {
    const uplifts = this.byUrl.get(definition.url);
    if (!uplifts || uplifts.chains.length === 0) return [];
    return definition.base.flatMap(typesOfBase).flatMap((resourceType) => {
      const parameter = this.registry.find(resourceType, definition.code);
      if (parameter?.url !== definition.url) return [];
      return copyRules({ resourceType, parameter, uplifts }, this.registry);
    });
  }
}

function byType(rules: readonly CopyRule[]): ReadonlyMap<string, readonly CopyRule[]> {
  const grouped = new Map<string, CopyRule[]>();
  for (const rule of rules) {
    for (const type of new Set([rule.type, rule.targetType])) {
      const group = grouped.get(type);
      if (group) group.push(rule);
      else grouped.set(type, [rule]);
    }
  }
  return grouped;
}

/**
 * The paths that the uplifts of a record need, once `admitted` are in force beside what the registry has: target types
 * may come to know the code by one of them.
 */
export function pathsToLift(
  { definition, uplifts }: ParameterRecord,
  admitted: readonly SearchParameterDefinition[],
  registry: SearchParameterRegistry,
): readonly UpliftPath[] {
  if (!uplifts) return [];
  const bind = (resourceType: string, one: SearchParameterDefinition): RegisteredSearchParameter =>
    bindParameter(registry.schema, resourceType, one, registry).parameter;
  const targets: TargetParameters = {
    find: (type, code) => {
      const fresh = admitted.find((one) => one.code === code && one.base.flatMap(typesOfBase).includes(type));
      return fresh ? bind(type, fresh) : registry.find(type, code);
    },
  };
  return definition.base.flatMap(typesOfBase).flatMap((resourceType) => {
    const parameter = bind(resourceType, definition);
    const lifted: UpliftedParameter = { resourceType, parameter, uplifts: toUplifts(uplifts) };
    return upliftPaths(lifted, targets);
  });
}
