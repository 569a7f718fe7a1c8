/** batch: every entry on its own, answered in the order of the request. */
import { preferredReturn } from '../fhir/prefer.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Bundle, BundleEntry } from '../model/resource.js';
import { toEntryRequest } from './bundle-entry.js';
import { answerEntry, bundleText } from './bundle-response.js';
import { completing } from './completed.js';
import { AnswerBudget, dispatchEntry } from './entry-answer.js';
import type { ServerParts } from './server-parts.js';

/** Entries that are worked on at a time: enough for writes to share commits. */
const CONCURRENT_ENTRIES = 32;

export async function batch(server: ServerParts, request: RequestDetails, bundle: Bundle): Promise<string> {
  const entries = bundle.entry ?? [];
  const answers: string[] = [];
  const budget = new AnswerBudget();
  for (let start = 0; start < entries.length; start += CONCURRENT_ENTRIES) {
    const part = entries.slice(start, start + CONCURRENT_ENTRIES);
    answers.push(
      ...(await Promise.all(
        part.map((entry, index) => runEntry(server, request, { entry, index: start + index, budget })),
      )),
    );
  }
  return bundleText('batch-response', answers);
}

async function runEntry(
  server: ServerParts,
  parent: RequestDetails,
  {
    entry,
    index,
    budget,
  }: { readonly entry: BundleEntry; readonly index: number; readonly budget: AnswerBudget },
): Promise<string> {
  try {
    const { request } = toEntryRequest(parent, entry, index);
    const response = await completing(
      server,
      () => request,
      () => dispatchEntry(server, request, budget),
    );
    return answerEntry(
      response,
      isWrite(request) && preferredReturn(request) === 'OperationOutcome' ? 'outcome' : 'resource',
    );
  } catch (error) {
    return answerEntry(failedEntry(server, parent, error));
  }
}

function isWrite({ method, operation }: RequestDetails): boolean {
  return method !== 'GET' && method !== 'HEAD' && operation === undefined;
}

function failedEntry(server: ServerParts, parent: RequestDetails, error: unknown) {
  const known = error instanceof FhirError ? error : server.reportUnexpected(parent.id, error);
  return { status: known.status, headers: {}, body: JSON.stringify(known.toOutcome()) };
}
