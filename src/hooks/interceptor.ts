import type { HookFunction, PointcutName } from './pointcuts.js';

/** A hook with an order of its own, which beats its interceptor's. */
export interface OrderedHook<P extends PointcutName> {
  readonly order?: number;
  readonly handle: HookFunction<P>;
}

/** The hooks of one interceptor: at most one per pointcut. */
export type Hooks = {
  readonly [P in PointcutName]?: HookFunction<P> | OrderedHook<P>;
};

/** What is registered: a name for logs and explanations, and hooks. */
export interface Interceptor {
  readonly name: string;
  /** Lower runs first; 0 if left out. Any finite number; ties run in the order of registration. */
  readonly order?: number;
  readonly hooks: Hooks;
}

/**
 * Gives back its argument; it is there so that every hook's event and answer are inferred.
 *
 * ```ts
 * export const labSource = defineInterceptor({
 *   name: 'lab-source',
 *   order: 10,
 *   hooks: {
 *     STORAGE_PARTITION_IDENTIFY_CREATE: ({ resource }) =>
 *       resource.resourceType === 'Observation' ? { by: 'name', names: ['lab'] } : undefined,
 *     STORAGE_PRESTORAGE_RESOURCE_CREATED: { order: -1, handle: ({ value }) => ({ ...value, language: 'en' }) },
 *   },
 * });
 * ```
 */
export function defineInterceptor(interceptor: Interceptor): Interceptor {
  return interceptor;
}
