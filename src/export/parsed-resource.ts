import { parseStored } from '../fhir/json.js';
import type { OutcomeIssue, Resource } from '../model/resource.js';

/** What is stored; undefined where that is no JSON, although it looks like a line of it. */
export function parsedResource(text: string): Resource | undefined {
  try {
    return parseStored(text) as Resource;
  } catch {
    return undefined;
  }
}

/** Tells of one that cannot be read; `what` is `Type/id` as far as it is known. */
export function unreadableIssue(what: string): OutcomeIssue {
  const diagnostics = `${what} was left out: what is stored of it cannot be read.`;
  return { severity: 'error', code: 'exception', diagnostics };
}
