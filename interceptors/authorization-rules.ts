import { isResourceType } from '../src/index.js';

/** What a rule is about. `any` is everything that a request can ask for. */
export type RuleAction = 'any' | 'create' | 'delete' | 'metadata' | 'operation' | 'read' | 'update';

/** One rule of `authorization`. Of several the first that fits decides; what no rule fits is refused. */
export interface AuthorizationRule {
  /** In the answer that refuses. */
  readonly name: string;
  readonly effect: 'allow' | 'deny';
  readonly actions: ReadonlySet<RuleAction>;
  /** Null: resources of any type. */
  readonly types: ReadonlySet<string> | null;
  /** `Type/id` of each; null: any resource. */
  readonly instances: ReadonlySet<string> | null;
  /** Ids of patients whose compartments a resource must be in; null: any resource. */
  readonly patients: ReadonlySet<string> | null;
  /** `$name` of an operation; null: any. */
  readonly operation: string | null;
  /** Names of partitions. Null: any partition, and all together. */
  readonly tenants: ReadonlySet<string> | null;
}

/** An ordered list of rules, which another one can be added to. Nothing changes a list that is there. */
export interface Rules {
  readonly list: readonly AuthorizationRule[];
  /** Begins a rule; the name is told to whom it refuses. */
  allow(name?: string): RuleStart;
  deny(name?: string): RuleStart;
}

/** What a rule is about. */
export interface RuleStart {
  /** Reads, searches and histories. */
  read(): RuleTarget;
  create(): RuleTarget;
  /** Updates and patches. */
  update(): RuleTarget;
  delete(): RuleTarget;
  /** Creates, updates, patches and deletes. */
  write(): RuleTarget;
  /** `$everything`; what it shows is judged by the rules for reading besides. Without a name, every operation. */
  operation(name?: `$${string}`): RuleTenants;
  /** The CapabilityStatement. */
  metadata(): RuleTenants;
  /** Everything that can be asked for. */
  all(): RuleTenants;
}

/** Which resources a rule is about. */
export interface RuleTarget {
  allResources(): RuleTenants;
  resourcesOfType(...types: readonly [string, ...string[]]): RuleTenants & RuleCompartment;
  /** `Patient/1` */
  instances(...references: readonly [string, ...string[]]): RuleTenants;
  /** Of any type. */
  inPatientCompartment(...ids: readonly [string, ...string[]]): RuleTenants;
}

/** https://hl7.org/fhir/R4/compartmentdefinition-patient.html */
export interface RuleCompartment {
  inPatientCompartment(...ids: readonly [string, ...string[]]): RuleTenants;
}

/** A whole rule. It holds in every partition unless some are named. */
export interface RuleTenants extends Rules {
  /** Judged by the partition that was selected, whoever selected it; what lives in DEFAULT is DEFAULT's. */
  forTenants(...names: readonly [string, ...string[]]): Rules;
}

type Draft = Pick<AuthorizationRule, 'name' | 'effect'>;

const WRITES = ['create', 'update', 'delete'] as const;

/** An empty list, which refuses everything. */
export function rules(list: readonly AuthorizationRule[] = []): Rules {
  return {
    list,
    allow: (name = 'unnamed') => begin(list, { name, effect: 'allow' }),
    deny: (name = 'unnamed') => begin(list, { name, effect: 'deny' }),
  };
}

function begin(list: readonly AuthorizationRule[], draft: Draft): RuleStart {
  const about = (...actions: readonly RuleAction[]): AuthorizationRule => ({
    ...draft,
    actions: new Set(actions),
    types: null,
    instances: null,
    patients: null,
    operation: null,
    tenants: null,
  });
  const resources = (...actions: readonly RuleAction[]): RuleTarget => aim(list, about(...actions));
  return {
    read: () => resources('read'),
    create: () => resources('create'),
    update: () => resources('update'),
    delete: () => resources('delete'),
    write: () => resources(...WRITES),
    operation: (name) => finish(list, { ...about('operation'), operation: name ?? null }),
    metadata: () => finish(list, about('metadata')),
    all: () => finish(list, about('any')),
  };
}

function aim(list: readonly AuthorizationRule[], rule: AuthorizationRule): RuleTarget {
  const inPatientCompartment = (one: AuthorizationRule, ids: readonly string[]): RuleTenants =>
    finish(list, { ...one, patients: new Set(ids) });
  return {
    allResources: () => finish(list, rule),
    resourcesOfType: (...types) => {
      const typed = { ...rule, types: new Set(types.map(asType)) };
      return {
        ...finish(list, typed),
        inPatientCompartment: (...ids) => inPatientCompartment(typed, ids),
      };
    },
    instances: (...references) => {
      const instances = new Set(references.map(asInstance));
      const types = new Set([...instances].map((one) => one.slice(0, one.indexOf('/'))));
      return finish(list, { ...rule, instances, types });
    },
    inPatientCompartment: (...ids) => inPatientCompartment(rule, ids),
  };
}

function finish(list: readonly AuthorizationRule[], rule: AuthorizationRule): RuleTenants {
  return {
    ...rules([...list, rule]),
    forTenants: (...names) => rules([...list, { ...rule, tenants: new Set(names) }]),
  };
}

/** @throws Error for what names no type: a rule that refuses it would refuse nothing. */
function asType(name: string): string {
  if (isResourceType(name)) return name;
  throw new Error(`'${name}' is no resource type of R4.`);
}

/** @throws Error for what names no resource: a rule that never fits is a mistake. */
function asInstance(reference: string): string {
  if (/^[A-Z][A-Za-z]{0,63}\/[A-Za-z0-9\-.]{1,64}$/.test(reference)) return reference;
  throw new Error(`'${reference}' names no resource; write it as Patient/1.`);
}
