import { FhirError } from '../model/errors.js';
import type { OutcomeIssue } from '../model/resource.js';

/** Does the work of one entry of a bundle; an error says which entry it came from. */
export async function atEntry<Result>(index: number, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FhirError ? inEntry(error, `Bundle.entry[${index}]`) : error;
  }
}

function inEntry(error: FhirError, place: string): FhirError {
  const issues = error.toOutcome().issue.map((issue): OutcomeIssue => ({
    ...issue,
    diagnostics: `${place}: ${issue.diagnostics ?? error.message}`,
    expression: issue.expression?.map((path) => toEntryPath(path, place)) ?? [place],
  }));
  return new FhirError(error.code, `${place}: ${error.message}`, {
    ...error.options,
    status: error.status,
    issues,
    cause: error,
  });
}

/** `Observation.subject` becomes `Bundle.entry[1].resource.subject`. */
function toEntryPath(path: string, place: string): string {
  if (path.startsWith('Bundle.entry[')) return path;
  const below = path.replace(/^[A-Z][A-Za-z]*\.?/, '');
  return below === '' ? `${place}.resource` : `${place}.resource.${below}`;
}
