/** batch and transaction: https://hl7.org/fhir/R4/http.html#transaction */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import type { Bundle } from '../model/resource.js';
import { batch } from './batch.js';
import { acceptBundle } from './bundle-entry.js';
import { jsonResponse } from './response.js';
import type { ServerParts } from './server-parts.js';
import { presentationOf } from './presentation.js';
import { presentText } from './show.js';
import { transaction } from './transaction.js';

export async function bundle(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  await server.resolver.resolveRead(request);
  const sent = acceptBundle(server, request);
  const accepted = await server.hooks.transform('STORAGE_TRANSACTION_PROCESSING', { request }, sent);
  const text =
    accepted.type === 'transaction'
      ? await transaction(server, request, accepted)
      : await batch(server, request, accepted);
  if (server.hooks.has('STORAGE_TRANSACTION_PROCESSED')) {
    const event = { request, bundle: accepted, response: JSON.parse(text) as Bundle };
    await server.hooks.observe('STORAGE_TRANSACTION_PROCESSED', event);
  }
  return jsonResponse(200, presentText(text, presentationOf(request)));
}
