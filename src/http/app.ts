import { createServer, type RequestListener, type Server } from 'node:http';
import Koa, { type Context } from 'koa';
import { requestLog } from '../log.js';
import { BodyMemory } from './body-memory.js';
import { answerClientError } from './client-error.js';
import { limitConnections, pipelineLimit, serverOptions } from './connections.js';
import { handleFhir, type FhirHandlerOptions } from './fhir-handler.js';
import { isProbe, probeRouter, type ServerState } from './probes.js';
import { toOriginForm } from './request-target.js';
import { securityHeaders } from './security-headers.js';

/** What the HTTP server needs besides what FHIR requests need. */
export interface AppOptions extends Omit<FhirHandlerOptions, 'requestLog' | 'bodies'> {
  readonly ready: ServerState['ready'];
}

/** The chain: probes and metrics by router, everything else by the FHIR handler. */
export function createApp(options: AppOptions): Koa {
  const app = new Koa();
  const probes = probeRouter(options, options.server);
  const { maxBodiesBytes, maxBodyBytes } = options.server.settings;
  const handler: FhirHandlerOptions = {
    ...options,
    requestLog: requestLog(options.logger),
    bodies: new BodyMemory(Math.max(maxBodiesBytes, maxBodyBytes)),
  };
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

/** An HTTP server with limits against slow and endless requests, and against too many of them. */
export function createHttpServer(app: Koa, options: AppOptions): Server {
  const { settings, newRequestId } = options.server;
  const handle = app.callback();
  const mayWait = pipelineLimit(settings.maxPipelinedRequests);
  const serve: RequestListener = (request, response) => {
    if (!mayWait(request, response)) return;
    request.url = toOriginForm(request.url ?? '/');
    void handle(request, response);
  };
  const server = createServer(serverOptions(settings), serve);
  // Refused with the rest of the head, in the words of all refusals.
  server.on('checkExpectation', serve);
  limitConnections(server, settings);
  const headers = securityHeaders(settings);
  server.on('clientError', (error, socket) => answerClientError(error, socket, { headers, newRequestId }));
  return server;
}
