import {
  createSearchParameterRegistry,
  DEFAULT_PARTITION_ID,
  DEFAULT_PARTITION_NAME,
  defineInterceptor,
  FhirError,
  limitWriteAnswer,
  patientCompartmentMembers,
} from '../src/index.js';
import type {
  AccessedResource,
  HookEvent,
  Interceptor,
  MaybePromise,
  RequestDetails,
  Resource,
} from '../src/index.js';
import type { AuthorizationRule, RuleAction, Rules } from './authorization-rules.js';
import { outermost } from './tenant-source.js';

/** Options of `authorization`. */
export interface AuthorizationOptions {
  /**
   * The rules for the caller of a request, in order; asked once for each request, and for a bundle once. By
   * `principalOf(request)` you learn whose token it came with.
   */
  readonly rules: (request: RequestDetails) => MaybePromise<Rules>;
  /**
   * What becomes of a resource that was found and may not be read: the request is 403 (`forbidden`, if left out), or
   * the resource is left out as if it were not there (`hidden`).
   */
  readonly found?: 'forbidden' | 'hidden';
  /** Name in logs and explanations; `authorization` if left out. */
  readonly name?: string;
}

/** Who asks for what, as far as it is known. */
interface Asked {
  readonly action: RuleAction;
  readonly operation?: string | undefined;
  /** Undefined: of several types, or of none. */
  readonly type: string | undefined;
  readonly id: string | undefined;
  /** Names of the partitions. */
  readonly tenants: readonly string[];
  readonly all: boolean;
  /** The resource, where it is known already. */
  readonly resource?: () => Resource;
}

/** `unknown`: it takes the resource to tell. */
type Fit = boolean | 'unknown';

const RULES = 'bulkhead.authorization-rules';
const TENANTS = 'bulkhead.authorization-tenants';
/** What is stored is judged as the other interceptors leave it. */
const LAST = Number.MAX_SAFE_INTEGER;

const ACTIONS: Readonly<Partial<Record<RequestDetails['interaction'], RuleAction>>> = {
  create: 'create',
  update: 'update',
  patch: 'update',
  delete: 'delete',
  capabilities: 'metadata',
  operation: 'operation',
};

const WRITES: ReadonlySet<RuleAction> = new Set(['create', 'update']);

/**
 * Judges everything that is asked for by an ordered list of rules: 403 FORBIDDEN for what no rule allows. It judges the
 * partitions that were really selected, each entry of a bundle by itself, a resource that is changed as it was and as
 * it will be, and each resource that is about to be shown, includes among them. Searches may still ask about what they
 * do not show: by chains, and by how many match; `searchNarrowing` limits what they find.
 */
export function authorization(options: AuthorizationOptions): Interceptor {
  const { rules, found = 'forbidden', name = 'authorization' } = options;
  const judged = compartmentJudge();
  const rulesOf = (request: RequestDetails): MaybePromise<Rules> => remembered(request, rules);
  const judgeStored = async (
    request: RequestDetails,
    action: RuleAction,
    resources: readonly Resource[],
  ): Promise<undefined> => {
    const { list } = await rulesOf(request);
    for (const resource of resources) {
      const asked = { ...ofResource(request, resource), action };
      assertAllowed(judged(list, asked));
    }
  };
  return defineInterceptor({
    name,
    hooks: {
      STORAGE_PARTITION_SELECTED: async (event) => {
        rememberTenants(event);
        if (event.target.interaction === 'batch' || event.target.interaction === 'transaction') return;
        const { list } = await rulesOf(event.request);
        const asked = ofSelection(event);
        assertAllowed(judged(list, asked));
        if (!WRITES.has(asked.action)) return;
        limitWriteAnswer(event.request, (resource) => {
          const read = { ...ofResource(event.request, resource), action: 'read' } as const;
          return judged(list, read).isAllowed;
        });
      },
      STORAGE_PREACCESS_RESOURCES: async ({ request, value }) => {
        const { list } = await rulesOf(request);
        const visible = value.filter((one) => {
          const verdict = judged(list, ofAccess(request, one));
          if (found === 'forbidden') assertAllowed(verdict);
          return verdict.isAllowed;
        });
        return visible.length === value.length ? undefined : visible;
      },
      STORAGE_PRESTORAGE_RESOURCE_CREATED: {
        order: LAST,
        handle: ({ request, value }) => judgeStored(request, 'create', [value]),
      },
      STORAGE_PRESTORAGE_RESOURCE_UPDATED: {
        order: LAST,
        handle: ({ request, previous, value }) => judgeStored(request, 'update', [previous, value]),
      },
      STORAGE_PRESTORAGE_RESOURCE_DELETED: {
        order: LAST,
        handle: ({ request, resource }) => judgeStored(request, 'delete', [resource]),
      },
    },
  });
}

function remembered(request: RequestDetails, rules: AuthorizationOptions['rules']): MaybePromise<Rules> {
  const outer = outermost(request);
  const known = outer.attributes.get(RULES) as MaybePromise<Rules> | undefined;
  if (known !== undefined) return known;
  const made = rules(outer);
  outer.attributes.set(RULES, made);
  return made;
}

type Selected = HookEvent<'STORAGE_PARTITION_SELECTED'>;

/** Resources know the id of their partition, rules the name. */
interface SelectedTenants {
  readonly names: ReadonlyMap<number, string>;
  /** Those of the selection before: of a write that is under way, its own. */
  readonly last: readonly string[];
}

/** Entries of a bundle begin with what was selected for the bundle. */
function rememberTenants({ request, partitions }: Selected): void {
  const names = new Map(selectedFor(request).names);
  for (const { id, name } of partitions) names.set(id, name);
  const selected: SelectedTenants = { names, last: partitions.map(({ name }) => name) };
  request.attributes.set(TENANTS, selected);
}

function selectedFor({ attributes }: RequestDetails): SelectedTenants {
  const selected = attributes.get(TENANTS) as SelectedTenants | undefined;
  return selected ?? { names: new Map(), last: [] };
}

function ofSelection({ target, partitions, all }: Selected): Asked {
  const { interaction, resourceType: type, id, operation } = target;
  const tenants = partitions.map(({ name }) => name);
  return { action: ACTIONS[interaction] ?? 'read', operation, type, id, tenants, all };
}

function ofAccess(request: RequestDetails, accessed: AccessedResource): Asked {
  const { type, id, partition } = accessed;
  const isDefault = partition === DEFAULT_PARTITION_ID;
  const tenant = isDefault ? DEFAULT_PARTITION_NAME : selectedFor(request).names.get(partition);
  const resource = (): Resource => accessed.resource();
  // A partition that nobody selected fits no rule that names tenants, unless the rule refuses.
  return {
    action: 'read',
    type,
    id,
    tenants: tenant === undefined ? [] : [tenant],
    all: tenant === undefined,
    resource,
  };
}

function ofResource(request: RequestDetails, resource: Resource): Omit<Asked, 'action'> {
  const { resourceType: type, id } = resource;
  return { type, id, tenants: selectedFor(request).last, all: false, resource: () => resource };
}

/** What the rules say, and which one said it. */
interface Verdict {
  readonly isAllowed: boolean;
  readonly by: AuthorizationRule | undefined;
}

type Judge = (list: readonly AuthorizationRule[], asked: Asked) => Verdict;

function assertAllowed({ isAllowed, by }: Verdict): void {
  if (isAllowed) return;
  throw new FhirError(
    'FORBIDDEN',
    by === undefined ? 'No rule allows this.' : `Refused by the rule "${by.name}".`,
  );
}

/** The first rule that fits; one that may fit lets pass what is judged again with its resource. */
function compartmentJudge(): Judge {
  let registry: ReturnType<typeof createSearchParameterRegistry> | undefined;
  const isOf = (patients: ReadonlySet<string>, resource: Resource): boolean => {
    registry ??= createSearchParameterRegistry();
    return patientCompartmentMembers(resource, registry).some((id) => patients.has(id));
  };
  return (list, asked) => {
    for (const rule of list) {
      const fit = fitOf(rule, asked, isOf);
      if (fit === true || (fit === 'unknown' && rule.effect === 'allow'))
        return { isAllowed: rule.effect === 'allow', by: rule };
    }
    return { isAllowed: false, by: undefined };
  };
}

function fitOf(
  rule: AuthorizationRule,
  asked: Asked,
  isOf: (patients: ReadonlySet<string>, resource: Resource) => boolean,
): Fit {
  if (!rule.actions.has('any') && !rule.actions.has(asked.action)) return false;
  if (rule.operation !== null && rule.operation !== asked.operation) return false;
  if (!isInTenants(rule, asked)) return false;
  const isTyped = rule.types === null || (asked.type === undefined ? 'unknown' : rule.types.has(asked.type));
  const isInstance = rule.instances === null || instanceFit(rule.instances, asked);
  const resource = asked.resource?.();
  const isPatients =
    rule.patients === null || (resource === undefined ? 'unknown' : isOf(rule.patients, resource));
  const fits = [isTyped, isInstance, isPatients];
  if (fits.includes(false)) return false;
  return fits.includes('unknown') ? 'unknown' : true;
}

function instanceFit(instances: ReadonlySet<string>, { type, id }: Asked): Fit {
  return type === undefined || id === undefined ? 'unknown' : instances.has(`${type}/${id}`);
}

/** What is allowed somewhere is not allowed elsewhere besides; what is refused somewhere is refused in all. */
function isInTenants({ tenants, effect }: AuthorizationRule, asked: Asked): boolean {
  if (tenants === null) return true;
  if (effect === 'deny') return asked.all || asked.tenants.some((name) => tenants.has(name));
  return !asked.all && asked.tenants.length > 0 && asked.tenants.every((name) => tenants.has(name));
}
