import type { SearchParameter } from '../fhir/index-values.js';
import { FhirError } from '../model/errors.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { SearchParameterSource } from './parse-context.js';

const CONTAINED =
  'Contained resources are not all found yet: what was written before they were indexed waits for a reindex.';

/** Notes, while a search is read, which of its parameters do not find all data yet. */
export class PendingParameters implements SearchParameterSource {
  private readonly noted = new Map<string, string>();

  constructor(private readonly source: SearchParameterSource) {}

  find(resourceType: string, code: string): SearchParameter | undefined {
    const parameter = this.source.find(resourceType, code);
    if (parameter && this.source.isPending?.(resourceType, parameter)) {
      this.noted.set(`${resourceType} ${code}`, describe(resourceType, code));
    }
    return parameter;
  }

  list(resourceType: string): readonly SearchParameter[] {
    return this.source.list(resourceType);
  }

  missesContained(resourceType: string, parameter?: SearchParameter): boolean {
    const misses = this.source.missesContained?.(resourceType, parameter) ?? false;
    if (misses) this.noted.set('', CONTAINED);
    return misses;
  }

  /** What the client of a search must know. */
  warnings(): readonly OutcomeIssue[] {
    return [...this.noted.values()].map((diagnostics) => ({
      severity: 'warning',
      code: 'incomplete',
      diagnostics,
    }));
  }

  /** What is decided by a match must not be decided by half of the data. @throws FhirError PRECONDITION_FAILED */
  assertNone(): void {
    const [first] = this.noted.values();
    if (first !== undefined) throw new FhirError('PRECONDITION_FAILED', first);
  }
}

function describe(resourceType: string, code: string): string {
  return `Search parameter "${code}" of ${resourceType} does not find all data yet: what was written before it waits for a reindex.`;
}
