import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../auth/authenticator.js';
import { parseJson } from '../fhir/json.js';
import { isBinaryResource, mediaType, type FhirFormat } from '../fhir/media-types.js';
import { parseXmlSteps } from '../fhir/xml/parse.js';
import type { HookResponse, MaybePromise, OutgoingResponse } from '../hooks/pointcuts.js';
import type { HookRegistry } from '../hooks/registry.js';
import { completing } from '../interactions/completed.js';
import { dispatch } from '../interactions/dispatch.js';
import { parseQuery } from '../interactions/query.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { Logger, RequestLog } from '../log.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { AuthorizationServer } from '../auth/server/authorization-server.js';
import { SELECTED_PARTITIONS } from '../partition/resolver.js';
import type { Settings } from '../settings/schema.js';
import type { RawContent } from '../interactions/binary.js';
import { answerAuth } from './auth-endpoints.js';
import { authPlaceOf } from './auth-place.js';
import { limitBody, readBody } from './body.js';
import { type BodyMemory, BodyShare } from './body-memory.js';
import { commonHeaders } from './common-headers.js';
import { preflightHeaders } from './cors.js';
import { errorResponse } from './errors.js';
import { jsonLimitsOf } from './json-limits.js';
import { answerFormat, bodyFormat, failureFormat } from './media-type.js';
import type { Metrics } from './metrics.js';
import { assertPlainHead } from './request-head.js';
import { readRequest, withBody, type RequestOptions } from './request-details.js';
import { requestIdOf } from './request-id.js';
import { send, type FinalResponse } from './send.js';
import { inTurns } from './turns.js';
import { answerInXml, errorInXml } from './xml-answer.js';

/** What serving FHIR requests needs. */
export interface FhirHandlerOptions {
  readonly server: ServerParts;
  readonly logger: Logger;
  readonly requestLog: RequestLog;
  readonly metrics: Metrics;
  readonly request: RequestOptions;
  readonly bodies: BodyMemory;
  /** Undefined: nobody is asked who he is. */
  readonly authenticator: Authenticator | undefined;
  readonly authorization: AuthorizationServer;
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
  const body = new BodyShare(options.bodies);
  const id = requestIdOf(message, server.newRequestId);
  const exchange: Exchange = { id, request: undefined, format: undefined, body };
  metrics.begin();
  const response = await answer(options, message, { socket, exchange });
  const sent = response && deliver(options, response, { message, socket, exchange });
  if (sent) await sent;
  body.end();
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
  const { stallTimeoutMs } = options.server.settings;
  return send(socket, final, { isHead: message.method === 'HEAD', stallTimeoutMs });
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
  /** What resources are answered in, as far as that is known. */
  format: FhirFormat | undefined;
  readonly body: BodyShare;
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
    assertPlainHead(message, options.server.settings.maxHeaders);
    if (message.method === 'OPTIONS') return preflight(message);
    const auth = { message, limits: options.server.settings, share: exchange.body };
    const place = authPlaceOf(message.url ?? '/', options.request);
    const token = place && (await answerAuth(options.authorization, place, auth));
    if (token) return token;
    const response = await serve(options, message, exchange);
    return exchange.format === 'xml' ? await answerInXml(response, exchange.request) : response;
  } catch (error) {
    exchange.format ??= failureFormat(message.url ?? '', message.headers);
    const response = await failure(options, error, exchange);
    return exchange.format === 'xml' ? errorInXml(response) : response;
  }
}

async function serve(
  options: FhirHandlerOptions,
  message: IncomingMessage,
  exchange: Exchange,
): Promise<OutgoingResponse> {
  const { server } = options;
  const parsed = readRequest(message, exchange.id, options.request);
  if (!parsed) throw new FhirError('NOT_FOUND', NOT_FOUND_MESSAGE);
  exchange.request = parsed;
  return completing(
    server,
    () => exchange.request ?? parsed,
    () => serveParsed(options, message, { exchange, parsed }),
  );
}

async function serveParsed(
  options: FhirHandlerOptions,
  message: IncomingMessage,
  { exchange, parsed }: { readonly exchange: Exchange; readonly parsed: RequestDetails },
): Promise<OutgoingResponse> {
  const { server } = options;
  const { hooks } = server;
  const admitted = options.authenticator?.admit(parsed);
  if (admitted) await admitted;
  exchange.format = answerFormat(parsed, message.headers);
  const early: HookResponse = { status: 200, headers: {}, body: undefined };
  if (hooks.has('SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED')) {
    const selecting = { request: parsed, response: early };
    if ((await hooks.veto('SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED', selecting)) === 'handled')
      return early;
  }
  const request = mayHaveContent(parsed)
    ? await readContent(server, { message, request: parsed, share: exchange.body })
    : parsed;
  exchange.request = request;
  // A form may have asked for a format.
  if (request.parameters !== parsed.parameters) exchange.format = answerFormat(request, message.headers);
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

function mayHaveContent({ method, interaction }: RequestDetails): boolean {
  // Operations that are called by another method are refused, whatever came with it.
  if (interaction === 'operation') return method === 'POST';
  return method !== 'GET' && method !== 'HEAD' && method !== 'DELETE';
}

/** A request whose body is still to come. */
interface Incoming {
  readonly message: IncomingMessage;
  readonly request: RequestDetails;
  readonly share: BodyShare;
}

/** Reads the body where the interaction has one: JSON or XML, a form for searches, or the bytes of a Binary. */
async function readContent(
  server: ServerParts,
  { message, request, share }: Incoming,
): Promise<RequestDetails> {
  const contentType = message.headers['content-type'];
  const { settings } = server;
  if (isSearch(request)) return readSearchForm(settings, { message, request, share });
  if (isRawBinary(request, contentType)) {
    const raw: RawContent = {
      kind: 'raw',
      contentType: contentType ?? '',
      stream: limitBody(message, settings),
    };
    return withBody(request, raw);
  }
  const bytes = await readBody(message, settings, share);
  if (bytes.length === 0 && request.interaction === 'operation') return request;
  const limits = jsonLimitsOf(settings);
  const isXml = bodyFormat(contentType, request.interaction) === 'xml';
  const content = isXml ? await inTurns(parseXmlSteps(bytes, limits)) : parseJson(bytes, limits);
  return withBundleInteraction(withBody(request, content));
}

function isSearch({ interaction }: RequestDetails): boolean {
  return interaction === 'search-type' || interaction === 'search-system';
}

function isRawBinary(
  { resourceType, interaction }: RequestDetails,
  contentType: string | undefined,
): boolean {
  if (resourceType !== 'Binary' || (interaction !== 'create' && interaction !== 'update')) return false;
  return !isBinaryResource(contentType);
}

/** Parameters of the URL and of the form count alike (https://hl7.org/fhir/R4/http.html#search). */
async function readSearchForm(
  settings: Settings,
  { message, request, share }: Incoming,
): Promise<RequestDetails> {
  const bytes = await readBody(message, settings, share);
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
  const vary = headers['vary'] ?? headers['Vary'];
  const also = vary === undefined ? {} : { vary: `${common['vary']}, ${vary}` };
  return { status, headers: Object.assign(common, headers, also), body };
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
