import type { HookRegistry } from '../hooks/registry.js';
import type { HookResponse, OutgoingResponse } from '../hooks/pointcuts.js';
import { FHIR_JSON } from '../fhir/media-types.js';
import type { Logger } from '../log.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';

/** Which request failed, as far as it was understood. */
export interface FailedRequest {
  readonly id: string;
  readonly request: RequestDetails | undefined;
}

/**
 * Turns whatever was thrown into a response with an OperationOutcome. What is not meant for clients becomes
 * INTERNAL with the request id and nothing else; the log has the rest.
 */
export async function errorResponse(
  hooks: HookRegistry,
  logger: Logger,
  thrown: unknown,
  { id, request }: FailedRequest,
): Promise<OutgoingResponse> {
  const error = toFhirError(await preprocessed(hooks, thrown, request), id, logger);
  const response: HookResponse = { status: 200, headers: {}, body: undefined };
  if ((await hooks.veto('SERVER_HANDLE_EXCEPTION', { request, error, response })) === 'handled')
    return response;
  const { status } = error;
  const event = { request, status };
  const outcome = await hooks.transform('SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME', event, error.toOutcome());
  return {
    status,
    headers: { ...response.headers, 'content-type': FHIR_JSON, ...error.options.headers },
    body: JSON.stringify(outcome),
  };
}

/** What hooks make of what was thrown: a throw of theirs replaces it as an answer does. */
async function preprocessed(
  hooks: HookRegistry,
  thrown: unknown,
  request: RequestDetails | undefined,
): Promise<unknown> {
  try {
    return (
      (await hooks.decide('SERVER_PRE_PROCESS_OUTGOING_EXCEPTION', { request, error: thrown })) ?? thrown
    );
  } catch (other) {
    return other;
  }
}

/** The error that a client may see. */
export function toFhirError(thrown: unknown, requestId: string, logger: Logger): FhirError {
  if (thrown instanceof FhirError) {
    if (thrown.status >= 500) logger.error({ requestId, err: thrown }, thrown.message);
    return thrown;
  }
  logger.error({ requestId, err: thrown }, 'unexpected error');
  return new FhirError('INTERNAL', `The server failed. Request id: ${requestId}.`);
}
