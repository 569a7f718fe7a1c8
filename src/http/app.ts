import { createServer, type Server } from 'node:http';
import Koa, { type Context } from 'koa';
import { answerClientError } from './client-error.js';
import { requestLog } from '../log.js';
import { handleFhir, type FhirHandlerOptions } from './fhir-handler.js';
import { isProbe, probeRouter, type ServerState } from './probes.js';

/** What the HTTP server needs besides what FHIR requests need. */
export interface AppOptions extends Omit<FhirHandlerOptions, 'requestLog'> {
  readonly ready: ServerState['ready'];
  readonly requestTimeoutMs: number;
}

const HEADERS_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_MS = 65_000;

/** The chain: probes and metrics by router, everything else by the FHIR handler. */
export function createApp(options: AppOptions): Koa {
  const app = new Koa();
  const probes = probeRouter(options, options.server.newRequestId);
  const handler: FhirHandlerOptions = { ...options, requestLog: requestLog(options.logger) };
  const serveFhir = (context: Context): Promise<void> => {
    context.respond = false;
    return handleFhir(handler, context.req, context.res);
  };
  // The router looks at every path with patterns; FHIR requests need not wait for that.
  app.use((context, next) => (isProbe(context.req.url ?? '/') ? next() : serveFhir(context)));
  app.use(probes.routes());
  app.use(serveFhir);
  app.on('error', (error: unknown) =>
    options.logger.error({ err: error }, 'request failed outside of the handler'),
  );
  return app;
}

/** An HTTP server with limits against slow and endless requests. */
export function createHttpServer(app: Koa, options: AppOptions): Server {
  const server = createServer(app.callback());
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = options.requestTimeoutMs;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // Their size is limited; a limit of their number would drop the rest in silence, an If-Match for example.
  server.maxHeadersCount = 0;
  server.on('clientError', (error, socket) => answerClientError(error, socket, options.server.newRequestId));
  return server;
}
