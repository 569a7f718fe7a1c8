import type { Hooks, Interceptor as InterceptorShape } from './interceptor.js';
import type { HookFunction, PointcutName } from './pointcuts.js';

export type Interceptor = InterceptorShape;

interface MarkedClass {
  readonly name?: string;
  readonly order?: number;
}

interface MarkedMethod {
  readonly pointcut: PointcutName;
  readonly method: string | symbol;
  readonly order?: number;
}

// Keyed by prototype, so that a class's marks are its own and never mixed with its parent's.
const classes = new WeakMap<object, MarkedClass>();
const methods = new WeakMap<object, MarkedMethod[]>();
const interceptors = new WeakMap<object, InterceptorShape>();

/** Names and orders a class of hooks. Optional: the name defaults to the class's, the order to 0. */
export function Interceptor(options: MarkedClass = {}): (target: new (...given: never[]) => object) => void {
  return (target) => void classes.set(target.prototype as object, options);
}

/**
 * Makes a method a hook. It may be given several times for several pointcuts.
 *
 * ```ts
 * class LabSource {
 *   @Hook(Pointcut.STORAGE_PARTITION_IDENTIFY_CREATE, { order: 10 })
 *   choose({ resource }: HookEvent<'STORAGE_PARTITION_IDENTIFY_CREATE'>): PartitionChoice | undefined {
 *     return resource.resourceType === 'Observation' ? { by: 'name', names: ['lab'] } : undefined;
 *   }
 * }
 * registry.register(interceptorOf(new LabSource()));
 * ```
 */
export function Hook<P extends PointcutName>(
  pointcut: P,
  options: { readonly order?: number } = {},
): <M extends HookFunction<P>>(
  prototype: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  return (prototype, method) => {
    const marks = methods.get(prototype) ?? [];
    methods.set(prototype, [...marks, { ...options, pointcut, method }]);
  };
}

/**
 * The interceptor that an object with `@Hook` methods is; always the same one for the same object. Inherited
 * hooks count; a subclass that marks a method again replaces its parent's marks for that method.
 * @throws Error if there is no hook, or two methods hook one pointcut.
 */
export function interceptorOf(instance: object): InterceptorShape {
  const known = interceptors.get(instance);
  if (known !== undefined) return known;
  const made = toInterceptor(instance);
  interceptors.set(instance, made);
  return made;
}

/** Whether the object's class has `@Hook` methods. */
export function isDecorated(instance: object): boolean {
  return prototypesOf(instance).some((prototype) => methods.has(prototype));
}

function toInterceptor(instance: object): InterceptorShape {
  const prototypes = prototypesOf(instance);
  const marked = prototypes.map((prototype) => classes.get(prototype)).find((mark) => mark !== undefined);
  const name = marked?.name ?? instance.constructor.name;
  const hooks = toHooks(instance, name, marksOf(prototypes));
  return { name, order: marked?.order ?? 0, hooks };
}

function toHooks(instance: object, name: string, marks: readonly MarkedMethod[]): Hooks {
  if (marks.length === 0) throw new Error(`Class ${name} has no @Hook method.`);
  const hooks: Record<string, unknown> = {};
  for (const { pointcut, method, order } of marks) {
    if (hooks[pointcut] !== undefined) {
      throw new Error(`Class ${name} hooks ${pointcut} twice: call one method from the other.`);
    }
    const handle = (event: unknown): unknown => callMethod(instance, method, event);
    hooks[pointcut] = { handle, ...(order === undefined ? {} : { order }) };
  }
  return hooks as Hooks;
}

// Looked up at each call, so that an override without a mark of its own is the one that runs.
function callMethod(instance: object, method: string | symbol, event: unknown): unknown {
  return (instance as Record<string | symbol, (event: unknown) => unknown>)[method]?.(event);
}

/** Nearest class first; marks of a method that a nearer class has marked are left out. */
function marksOf(prototypes: readonly object[]): readonly MarkedMethod[] {
  const seen = new Set<string | symbol>();
  return prototypes.flatMap((prototype) => {
    const own = (methods.get(prototype) ?? []).filter(({ method }) => !seen.has(method));
    for (const { method } of own) seen.add(method);
    return own;
  });
}

function prototypesOf(instance: object): readonly object[] {
  const chain: object[] = [];
  let prototype: unknown = Object.getPrototypeOf(instance);
  while (typeof prototype === 'object' && prototype !== null) {
    chain.push(prototype);
    prototype = Object.getPrototypeOf(prototype);
  }
  return chain;
}
