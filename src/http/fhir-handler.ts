import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJson } from '../fhir/json.js';
import type { HookResponse, MaybePromise, OutgoingResponse } from '../hooks/pointcuts.js';
import type { HookRegistry } from '../hooks/registry.js';
import { dispatch } from '../interactions/dispatch.js';
import { parseQuery } from '../interactions/query.js';
import { FILE_OPERATION } from '../interactions/target.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { Logger, RequestLog } from '../log.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import { SELECTED_PARTITIONS } from '../partition/resolver.js';
import type { RawContent } from '../interactions/binary.js';
import { limitBody, readBody } from './body.js';
import { commonHeaders } from './common-headers.js';
import { preflightHeaders } from './cors.js';
import { errorResponse } from './errors.js';
import { assertJsonAccepted, assertJsonBody, mediaType } from './media-type.js';
import type { Metrics } from './metrics.js';
import { readRequest, withBody, type RequestOptions } from './request-details.js';
import { requestIdOf } from './request-id.js';
import { send, type FinalResponse } from './send.js';

/** What serving FHIR requests needs. */
export interface FhirHandlerOptions {
  readonly server: ServerParts;
  readonly logger: Logger;
  readonly requestLog: RequestLog;
  readonly metrics: Metrics;
  readonly request: RequestOptions;
}

const NOT_FOUND_MESSAGE = 'The server has nothing at this URL.';

/**
 * Serves one request whose path is (or should have been) below the base path, from first hook to last byte. What is
 * no promise is not awaited on this way: each wait costs a turn of the microtask queue.
 */
export async function handleFhir(
  options: FhirHandlerOptions,
  message: IncomingMessage,
  socket: ServerResponse,
): Promise<void> {
  const { server, metrics } = options;
  const start = performance.now();
  const exchange: Exchange = { id: requestIdOf(message, server.newRequestId), request: undefined };
  metrics.begin();
  const response = await answer(options, message, { socket, exchange });
  const sent = response && deliver(options, response, { message, socket, exchange });
  if (sent) await sent;
  const milliseconds = performance.now() - start;
  const told = complete(options, exchange, { status: socket.statusCode, milliseconds });
  if (told) await told;
}

/** A hook may have answered headers that HTTP does not know: the client is told as long as nothing is sent. */
function deliver(
  options: FhirHandlerOptions,
  response: OutgoingResponse,
  delivery: Delivery,
): MaybePromise<void> {
  const { message, socket, exchange } = delivery;
  const fail = (error: unknown): MaybePromise<void> => {
    options.logger.error({ requestId: exchange.id, err: error }, 'a response could not be sent');
    if (socket.headersSent) return void socket.destroy();
    return deliverNow(options, internalError(exchange), delivery);
  };
  try {
    return deliverNow(options, response, { message, socket, exchange })?.catch(fail);
  } catch (error) {
    return fail(error);
  }
}

function deliverNow(
  options: FhirHandlerOptions,
  response: OutgoingResponse,
  { message, socket, exchange }: Delivery,
): Promise<void> | undefined {
  const final = addCommonHeaders(options, message, { response, exchange });
  return send(socket, final, { head: message.method === 'HEAD' });
}

interface Delivery {
  readonly message: IncomingMessage;
  readonly socket: ServerResponse;
  readonly exchange: Exchange;
}

/** What becomes known of a request while it is served. */
interface Exchange {
  readonly id: string;
  request: RequestDetails | undefined;
}

/** The response; undefined where a hook has written it to the socket itself. */
async function answer(
  options: FhirHandlerOptions,
  message: IncomingMessage,
  { socket, exchange }: { readonly socket: ServerResponse; readonly exchange: Exchange },
): Promise<OutgoingResponse | undefined> {
  const { hooks } = options.server;
  try {
    if (hooks.has('SERVER_INCOMING_REQUEST_PRE_PROCESSED')) {
      const event = { request: message, response: socket };
      if ((await hooks.veto('SERVER_INCOMING_REQUEST_PRE_PROCESSED', event)) === 'handled') return undefined;
    }
    if (message.method === 'OPTIONS') return preflight(message);
    return await serve(options, message, exchange);
  } catch (error) {
    return failure(options, error, exchange);
  }
}

async function serve(
  options: FhirHandlerOptions,
  message: IncomingMessage,
  exchange: Exchange,
): Promise<OutgoingResponse> {
  const { server } = options;
  const { hooks } = server;
  const parsed = readRequest(message, exchange.id, options.request);
  if (!parsed) throw new FhirError('NOT_FOUND', NOT_FOUND_MESSAGE);
  exchange.request = parsed;
  assertJsonAcceptedUnlessContent(parsed, message);
  const early: HookResponse = { status: 200, headers: {}, body: undefined };
  if (hooks.has('SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED')) {
    const selecting = { request: parsed, response: early };
    if ((await hooks.veto('SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED', selecting)) === 'handled')
      return early;
  }
  const request = mayHaveContent(parsed) ? await readContent(server, message, parsed) : parsed;
  exchange.request = request;
  if (hooks.has('SERVER_INCOMING_REQUEST_POST_PROCESSED')) {
    const processed = { request, response: early };
    if ((await hooks.veto('SERVER_INCOMING_REQUEST_POST_PROCESSED', processed)) === 'handled') return early;
  }
  const response = await dispatch(server, request);
  return hooks.has('SERVER_OUTGOING_RESPONSE')
    ? hooks.transform('SERVER_OUTGOING_RESPONSE', { request }, response)
    : response;
}

async function failure(
  options: FhirHandlerOptions,
  error: unknown,
  exchange: Exchange,
): Promise<OutgoingResponse> {
  const { server, logger } = options;
  try {
    return await errorResponse(server.hooks, logger, error, exchange);
  } catch (second) {
    logger.error({ requestId: exchange.id, err: second }, 'a hook failed while an error was handled');
    return internalError(exchange);
  }
}

function internalError({ id }: Exchange): OutgoingResponse {
  const error = new FhirError('INTERNAL', `The server failed. Request id: ${id}.`);
  return { status: 500, headers: {}, body: error.toOutcome() };
}

/** Files of exports come in their own type, and a Binary may be asked for in its own (https://hl7.org/fhir/R4/binary.html#rest). */
function assertJsonAcceptedUnlessContent(request: RequestDetails, message: IncomingMessage): void {
  if (request.operation === FILE_OPERATION) return;
  if (request.resourceType !== 'Binary') assertJsonAccepted(message.headers.accept, request.parameters);
}

function mayHaveContent({ method }: RequestDetails): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'DELETE';
}

/** Reads the body where the interaction has one: JSON, a form for searches, or the bytes of a Binary. */
async function readContent(
  server: ServerParts,
  message: IncomingMessage,
  request: RequestDetails,
): Promise<RequestDetails> {
  const contentType = message.headers['content-type'];
  const { maxBodyBytes, maxBinaryBytes, maxJsonDepth } = server.settings;
  if (isSearch(request)) return readSearchForm(message, request, maxBodyBytes);
  if (isRawBinary(request, contentType)) {
    const raw: RawContent = {
      kind: 'raw',
      contentType: contentType ?? '',
      stream: limitBody(message, maxBinaryBytes),
    };
    return withBody(request, raw);
  }
  const bytes = await readBody(message, maxBodyBytes);
  if (bytes.length === 0 && request.interaction === 'operation') return request;
  assertJsonBody(contentType, request.interaction);
  return withBundleInteraction(withBody(request, parseJson(bytes, { maxDepth: maxJsonDepth })));
}

function isSearch({ interaction }: RequestDetails): boolean {
  return interaction === 'search-type' || interaction === 'search-system';
}

function isRawBinary(
  { resourceType, interaction }: RequestDetails,
  contentType: string | undefined,
): boolean {
  if (resourceType !== 'Binary' || (interaction !== 'create' && interaction !== 'update')) return false;
  const type = mediaType(contentType);
  return type !== '' && type !== 'application/fhir+json' && type !== 'application/json';
}

/** Parameters of the URL and of the form count alike (https://hl7.org/fhir/R4/http.html#search). */
async function readSearchForm(
  message: IncomingMessage,
  request: RequestDetails,
  maxBytes: number,
): Promise<RequestDetails> {
  const bytes = await readBody(message, maxBytes);
  const type = mediaType(message.headers['content-type']);
  if (bytes.length > 0 && type !== 'application/x-www-form-urlencoded') {
    throw new FhirError('UNSUPPORTED_MEDIA_TYPE', 'A search is sent as application/x-www-form-urlencoded.');
  }
  return withBody(request, undefined, [...request.parameters, ...parseQuery(bytes.toString('utf8'))]);
}

/** Whether a bundle is a batch or a transaction stands in it. */
function withBundleInteraction(request: RequestDetails): RequestDetails {
  if (request.interaction !== 'batch') return request;
  const { type } = (request.body ?? {}) as { readonly type?: unknown };
  return type === 'transaction' ? { ...request, interaction: 'transaction' } : request;
}

function preflight(message: IncomingMessage): OutgoingResponse {
  const requested = message.headers['access-control-request-headers'];
  return { status: 204, headers: preflightHeaders(requested), body: undefined };
}

function addCommonHeaders(
  options: FhirHandlerOptions,
  message: IncomingMessage,
  { response, exchange }: { readonly response: OutgoingResponse; readonly exchange: Exchange },
): FinalResponse {
  const { status, headers, body } = response;
  const common = commonHeaders(options.server.settings, exchange.id, message.headers.origin);
  return { status, headers: Object.assign(common, headers), body };
}

function complete(
  { server, requestLog, metrics }: FhirHandlerOptions,
  { id, request }: Exchange,
  { status, milliseconds }: { readonly status: number; readonly milliseconds: number },
): MaybePromise<void> {
  metrics.end(request?.interaction ?? 'unknown', status, milliseconds / 1000);
  requestLog({
    requestId: id,
    method: request?.method,
    interaction: request?.interaction,
    partitions: request?.attributes.get(SELECTED_PARTITIONS) as readonly number[] | undefined,
    path: request?.path,
    status,
    ms: Math.round(milliseconds * 10) / 10,
  });
  const { hooks } = server;
  const heard = hooks.has('SERVER_PROCESSING_COMPLETED_NORMALLY') || hooks.has('SERVER_PROCESSING_COMPLETED');
  return heard ? announce(hooks, request, status) : undefined;
}

async function announce(
  hooks: HookRegistry,
  request: RequestDetails | undefined,
  status: number,
): Promise<void> {
  if (request && status < 400)
    await hooks.observe('SERVER_PROCESSING_COMPLETED_NORMALLY', { request, status });
  await hooks.observe('SERVER_PROCESSING_COMPLETED', { request, status });
}
