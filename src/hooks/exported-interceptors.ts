import { interceptorOf, isDecorated } from './decorators.js';
import { toHookEntries } from './hook-entries.js';
import type { Interceptor } from './interceptor.js';

/**
 * The interceptors that a module's default export is: one or an array, each made with `defineInterceptor`,
 * a plain `{ name, order, hooks }`, an object of a class with `@Hook` methods, or such a class (which is
 * made without arguments). `module` names it in errors.
 * @throws Error for anything else.
 */
export function toInterceptors(exported: unknown, module: string): readonly Interceptor[] {
  const items: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  return items.map((item) => {
    try {
      return toInterceptor(item);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The default export of ${module} is no interceptor: ${reason}`, { cause: error });
    }
  });
}

function toInterceptor(item: unknown): Interceptor {
  const object = isClass(item) ? new item() : item;
  if (typeof object === 'object' && object !== null && isDecorated(object)) return interceptorOf(object);
  assertInterceptor(object);
  return object;
}

function isClass(item: unknown): item is new () => object {
  return typeof item === 'function' && typeof item.prototype === 'object' && item.prototype !== null;
}

function assertInterceptor(value: unknown): asserts value is Interceptor {
  toHookEntries(value);
}
