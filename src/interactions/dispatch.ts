import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { Interaction, RequestDetails } from '../model/request.js';
import { runOperation } from '../operations/operations.js';
import { explainable } from '../operations/search-explain.js';
import { bundle } from './bundle.js';
import { capabilities } from './capabilities.js';
import { create } from './create.js';
import { deleteResource } from './delete.js';
import { history } from './history.js';
import { followPage } from './page.js';
import { patch } from './patch.js';
import { assertPermitted } from './permission.js';
import { read, vread } from './read.js';
import { searchSystem, searchType } from './search.js';
import type { ServerParts } from './server-parts.js';
import { assertPresentable } from './presentation.js';
import { update } from './update.js';

/** Does what a request asks for. */
export type InteractionHandler = (server: ServerParts, request: RequestDetails) => Promise<OutgoingResponse>;

const HANDLERS: Readonly<Record<Interaction, InteractionHandler>> = {
  read,
  vread,
  create,
  update,
  patch,
  delete: deleteResource,
  'history-instance': history,
  'history-type': history,
  'history-system': history,
  'search-type': explainable(searchType),
  'search-system': explainable(searchSystem),
  capabilities,
  batch: bundle,
  transaction: bundle,
  page: followPage,
  operation: runOperation,
};

/** The request is understood and may be done: SERVER_INCOMING_REQUEST_PRE_HANDLED can refuse it for the last time. */
export function dispatch(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  return server.hooks.has('SERVER_INCOMING_REQUEST_PRE_HANDLED')
    ? askAndHandle(server, request)
    : handle(server, request);
}

async function askAndHandle(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  assertPresentable(request);
  await server.hooks.veto('SERVER_INCOMING_REQUEST_PRE_HANDLED', { request });
  assertPermitted(request);
  return HANDLERS[request.interaction](server, request);
}

function handle(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  assertPresentable(request);
  assertPermitted(request);
  return HANDLERS[request.interaction](server, request);
}
