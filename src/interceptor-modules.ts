import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toInterceptors } from './hooks/exported-interceptors.js';
import type { Interceptor } from './hooks/interceptor.js';

/**
 * Loads the modules that `interceptors` in the settings names: paths relative to the working directory, or package
 * names. A default export is one interceptor or a list of them.
 * @throws Error that names the module which cannot be loaded or exports something else.
 */
export async function loadInterceptorModules(modules: readonly string[]): Promise<readonly Interceptor[]> {
  const loaded: Interceptor[] = [];
  for (const name of modules) {
    const isPath = name.startsWith('.') || name.startsWith('/') || /\.[cm]?[jt]s$/.test(name);
    const specifier = isPath ? pathToFileURL(resolve(name)).href : name;
    const module = await importModule(specifier, name);
    loaded.push(...toInterceptors(module.default, name));
  }
  return loaded;
}

async function importModule(specifier: string, name: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(specifier)) as { readonly default?: unknown };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Interceptor module ${name} could not be loaded: ${reason}`, { cause });
  }
}
