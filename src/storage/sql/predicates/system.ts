import { NO_SYSTEM } from '../dictionary.js';

/** SYS_IDs by URL; undefined where the system was never written. */
export type SystemIds = (url: string) => number | undefined;

/** A test, and the SYS_ID that it asks for; undefined: any. */
export interface KnownSystem<Test> {
  readonly test: Test;
  readonly systemId: number | undefined;
}

/**
 * The tests that can match: one that names a system which was never written can't. `urlOf` answers null for values
 * without a system, undefined for any.
 */
export function withSystems<Test>(
  tests: readonly Test[],
  urlOf: (test: Test) => string | null | undefined,
  systemIds: SystemIds,
): readonly KnownSystem<Test>[] {
  return tests.flatMap((test): readonly KnownSystem<Test>[] => {
    const url = urlOf(test);
    if (url === undefined) return [{ test, systemId: undefined }];
    const systemId = url === null ? NO_SYSTEM : systemIds(url);
    return systemId === undefined ? [] : [{ test, systemId }];
  });
}
