import Router from '@koa/router';
import type { Metrics } from './metrics.js';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';

/** What the probes tell. */
export interface ServerState {
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
export function probeRouter({ ready, metrics }: ServerState, newRequestId: () => string): Router {
  const router = new Router();
  router.use((context, next) => {
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
    context.type = metrics.registry.contentType;
    context.body = await metrics.registry.metrics();
  });
  return router;
}
