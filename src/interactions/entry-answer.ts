/** What the entries of a batch or transaction are answered with, kept to what fits into one Bundle. */
import { Readable } from 'node:stream';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import { dispatch } from './dispatch.js';
import type { ServerParts } from './server-parts.js';

/** Most characters that the reads of one Bundle are answered with; one page of many is far less. */
const MAX_ANSWERED = 64 * 2 ** 20;

/** What the reads of one Bundle may still be answered with: thousands of full pages would end the server. */
export class AnswerBudget {
  private left = MAX_ANSWERED;

  /** @throws FhirError LIMIT_EXCEEDED where the entries before have used up everything. */
  assertLeft(): void {
    if (this.left > 0) return;
    throw new FhirError(
      'LIMIT_EXCEEDED',
      'The answers to the entries before are too large for one Bundle already.',
    );
  }

  spend(text: string): void {
    this.left -= text.length;
  }
}

/**
 * Does what an entry asks for; what would be streamed comes as text. Only reads use up the budget: an entry that
 * writes is answered with no more than it has sent.
 * @throws FhirError LIMIT_EXCEEDED, and what the interaction throws
 */
export async function dispatchEntry(
  server: ServerParts,
  request: RequestDetails,
  budget: AnswerBudget,
): Promise<OutgoingResponse> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead) budget.assertLeft();
  const response = await dispatch(server, request);
  const whole =
    response.body instanceof Readable ? { ...response, body: await readWhole(response.body) } : response;
  if (isRead && typeof whole.body === 'string') budget.spend(whole.body);
  return whole;
}

async function readWhole(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream as AsyncIterable<string | Buffer>) {
    text += String(chunk);
    if (text.length > MAX_ANSWERED) {
      throw new FhirError(
        'LIMIT_EXCEEDED',
        'The content is too large for a Bundle; read the resource by itself.',
      );
    }
  }
  return text;
}
