import type { IncomingMessage } from 'node:http';
import Router from '@koa/router';
import type { ServerParts } from '../interactions/server-parts.js';
import type { Authenticator } from '../auth/authenticator.js';
import { adminRequired } from '../interactions/admin.js';
import { FHIR_JSON } from '../fhir/media-types.js';
import { FhirError } from '../model/errors.js';
import type { Metrics } from './metrics.js';
import { RequestHeaders } from './request-headers.js';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';
import { securityHeaders } from './security-headers.js';

/** What the probes tell, and to whom. */
export interface ServerState {
  /** Undefined: nobody is asked who he is. */
  readonly authenticator: Authenticator | undefined;
  /** False while starting, while the database does not answer, and from the moment the server is told to stop. */
  readonly ready: () => boolean | Promise<boolean>;
  readonly metrics: Metrics;
}

const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Whether a request's URL is one of the router's. */
export function isProbe(url: string): boolean {
  const mark = url.indexOf('?');
  return PROBES.has(mark < 0 ? url : url.slice(0, mark));
}

/** `/healthz`: the process lives. `/readyz`: it can answer requests. `/metrics`: for Prometheus. */
export function probeRouter(
  state: ServerState,
  { settings, newRequestId }: Pick<ServerParts, 'settings' | 'newRequestId'>,
): Router {
  const { ready, metrics } = state;
  const router = new Router();
  const headers = securityHeaders(settings);
  router.use((context, next) => {
    context.set(headers);
    context.set(REQUEST_ID_HEADER, requestIdOf(context.req, newRequestId));
    return next();
  });
  router.get('/healthz', (context) => {
    context.body = { status: 'ok' };
  });
  router.get('/readyz', async (context) => {
    const isReady = await ready();
    context.status = isReady ? 200 : 503;
    context.body = { status: isReady ? 'ready' : 'not ready' };
  });
  router.get('/metrics', async (context) => {
    const refusal = await refusalOf(state, settings, context.req);
    if (refusal) {
      context.status = refusal.status;
      context.set({ ...refusal.options.headers, 'content-type': FHIR_JSON });
      context.body = JSON.stringify(refusal.toOutcome());
      return;
    }
    context.type = metrics.registry.contentType;
    context.body = await metrics.registry.metrics();
  });
  return router;
}

/** Metrics tell how much a server is used, and by what. */
async function refusalOf(
  { authenticator }: ServerState,
  { tokenAdminScope }: ServerParts['settings'],
  message: IncomingMessage,
): Promise<FhirError | undefined> {
  if (!authenticator) return undefined;
  try {
    const { admin } = await authenticator.believe(new RequestHeaders(message).get('authorization') ?? []);
    return admin ? undefined : adminRequired(tokenAdminScope);
  } catch (error) {
    if (error instanceof FhirError) return error;
    throw error;
  }
}
