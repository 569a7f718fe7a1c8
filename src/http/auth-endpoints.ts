/** The endpoints of the authorization server: JSON of OAuth 2, not FHIR. */
import type { IncomingMessage } from 'node:http';
import type { AuthorizationServer } from '../auth/server/authorization-server.js';
import { TokenError } from '../auth/server/token-error.js';
import { severalMethods } from '../auth/server/token-request.js';
import { mediaType } from '../fhir/media-types.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { AuthPlace } from './auth-place.js';
import { type BodyLimits, readBody } from './body.js';
import type { BodyShare } from './body-memory.js';

const MOST_BYTES = 65_536;

/** A request as it comes in, and what its body may cost. */
export interface IncomingAuth {
  readonly message: IncomingMessage;
  readonly limits: BodyLimits;
  readonly share: BodyShare;
}
const FORM = 'application/x-www-form-urlencoded';

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.1 */
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' };

const METHODS: Readonly<Record<AuthPlace['endpoint'], readonly string[]>> = {
  token: ['POST'],
  jwks: ['GET', 'HEAD'],
  authorize: ['GET', 'HEAD', 'POST'],
  'smart-configuration': ['GET', 'HEAD'],
};

/**
 * Answers a request to one of the endpoints. Undefined where this server does not have it.
 * @throws whatever is not meant for the client
 */
export async function answerAuth(
  server: AuthorizationServer,
  place: AuthPlace,
  incoming: IncomingAuth,
): Promise<OutgoingResponse | undefined> {
  const isConfiguration = place.endpoint === 'smart-configuration';
  if (isConfiguration ? server.configuration(place) === undefined : !server.isOn) return undefined;
  try {
    const methods = METHODS[place.endpoint];
    if (!methods.includes(incoming.message.method ?? '')) return wrongMethod(methods);
    return await answer(server, place, incoming);
  } catch (error) {
    return refusal(error);
  }
}

async function answer(
  server: AuthorizationServer,
  place: AuthPlace,
  incoming: IncomingAuth,
): Promise<OutgoingResponse> {
  switch (place.endpoint) {
    case 'token':
      return json(200, await server.giveToken(place, await readForm(incoming)), NOT_STORED);
    case 'jwks':
      return json(200, await server.keySet());
    case 'smart-configuration':
      return json(200, server.configuration(place) ?? {});
    case 'authorize':
      incoming.message.resume();
      throw new TokenError('unsupported_response_type', 'Nobody logs in here: get tokens as a client.');
  }
}

async function readForm({ message, limits, share }: IncomingAuth): Promise<string> {
  if (message.headers.authorization !== undefined) throw severalMethods();
  if (mediaType(message.headers['content-type']) !== FORM)
    throw new TokenError('invalid_request', `A token request is sent as ${FORM}.`);
  return (await readBody(message, { ...limits, maxBodyBytes: MOST_BYTES }, share)).toString('utf8');
}

function refusal(error: unknown): OutgoingResponse {
  if (error instanceof TokenError) {
    const { code, message } = error;
    return json(400, { error: code, error_description: toDescription(message) }, NOT_STORED);
  }
  if (!(error instanceof FhirError) || error.status === 500) throw error;
  const code = error.status < 500 ? 'invalid_request' : 'temporarily_unavailable';
  const headers = { ...error.options.headers, ...NOT_STORED };
  return json(error.status, { error: code, error_description: toDescription(error.message) }, headers);
}

/** What was sent may be repeated in it, in the characters of https://www.rfc-editor.org/rfc/rfc6749#section-5.2. */
function toDescription(message: string): string {
  return message.replaceAll(/[^ !#-[\]-~]/g, '?');
}

function wrongMethod(methods: readonly string[]): OutgoingResponse {
  const body = { error: 'invalid_request', error_description: `Use ${methods.join(' or ')}.` };
  return json(405, body, { ...NOT_STORED, allow: methods.join(', ') });
}

function json(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): OutgoingResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
