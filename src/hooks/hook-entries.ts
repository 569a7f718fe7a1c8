import type { HookEntry } from './dispatch.js';

/** A hook with the pointcut it belongs to. */
export type NamedEntry = readonly [pointcut: string, entry: HookEntry];

/**
 * The hooks of an interceptor as the registry keeps them. Everything is checked, since interceptors also come
 * from plain JavaScript.
 * @throws Error that names the interceptor and what is wrong.
 */
export function toHookEntries(interceptor: unknown): readonly NamedEntry[] {
  const { name, order, hooks } = assertObject(interceptor, 'An interceptor');
  if (typeof name !== 'string' || name === '') throw new Error('An interceptor needs a name.');
  const ownOrder = toOrder(order, 0, `Interceptor "${name}"`);
  const table = assertObject(hooks, `"hooks" of interceptor "${name}"`);
  const entries = Object.entries(table)
    .filter(([, hook]) => hook !== undefined)
    .map(([pointcut, hook]): NamedEntry => {
      const where = `Hook ${pointcut} of interceptor "${name}"`;
      return [pointcut, { interceptor: name, ...toHandler({ table, hook, order: ownOrder, where }) }];
    });
  if (entries.length === 0) throw new Error(`Interceptor "${name}" has no hooks.`);
  return entries;
}

interface Given {
  readonly table: object;
  readonly hook: unknown;
  /** The interceptor's own. */
  readonly order: number;
  readonly where: string;
}

// Handlers are bound so that `this` is the object they are written in, as everywhere in JavaScript.
function toHandler({ table, hook, order, where }: Given): Omit<HookEntry, 'interceptor'> {
  if (isHandler(hook)) return { order, handle: hook.bind(table) };
  const own = assertObject(hook, where);
  if (!isHandler(own.handle)) throw new Error(`${where} must be a function or { order, handle }.`);
  return { order: toOrder(own.order, order, where), handle: own.handle.bind(own) };
}

function isHandler(value: unknown): value is HookEntry['handle'] {
  return typeof value === 'function';
}

function toOrder(value: unknown, otherwise: number, where: string): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(`${where} has an order that is not a finite number.`);
}

function assertObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  throw new Error(`${what} must be an object.`);
}
