import type { Interceptor } from '../../src/hooks/interceptor.js';
import { HookRegistry } from '../../src/hooks/registry.js';
import type { RequestDetails } from '../../src/model/request.js';

/** A registry with interceptors, and what it swallowed: pointcut, interceptor, message. */
export function aRegistry(...interceptors: readonly Interceptor[]): {
  readonly registry: HookRegistry;
  readonly swallowed: readonly (readonly [string, string, string])[];
} {
  const swallowed: [string, string, string][] = [];
  const registry = new HookRegistry({
    onSwallowed: (pointcut, interceptor, error) =>
      void swallowed.push([pointcut, interceptor, (error as Error).message]),
  });
  for (const interceptor of interceptors) registry.register(interceptor);
  return { registry, swallowed };
}

/** A read of Patient/1. */
export function aRequest(): RequestDetails {
  return {
    id: 'request-1',
    method: 'GET',
    interaction: 'read',
    urlTenant: undefined,
    serverBase: 'http://localhost/fhir',
    base: 'http://localhost/fhir',
    path: 'Patient/1',
    resourceType: 'Patient',
    resourceId: '1',
    versionId: undefined,
    operation: undefined,
    parameters: [],
    headers: new Map(),
    body: undefined,
    parent: undefined,
    attributes: new Map(),
  };
}
