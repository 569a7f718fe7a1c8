import { defineInterceptor, FhirError, limitWriteAnswer } from '../src/index.js';
import type { AccessedResource, Interceptor, MaybePromise, RequestDetails, Resource } from '../src/index.js';

/** What `startOperation` answers: go on and ask for each resource, go on without asking, or refuse. */
export type ConsentToOperation = 'proceed' | 'authorized' | 'reject';

/** Decides by what somebody has consented to, resource by resource. Whatever is left out consents. */
export interface ConsentService {
  /** Before anything is done. `reject` is 403; after `authorized` nothing more is asked for the request. */
  startOperation?(request: RequestDetails): MaybePromise<ConsentToOperation>;
  /** Whether a resource may be seen at all. False: as if it were not there, in every page and include. */
  canSeeResource?(request: RequestDetails, resource: AccessedResource): MaybePromise<boolean>;
  /** What of a resource is shown: another content, or undefined for all of it. What is stored does not change. */
  willSeeResource?(request: RequestDetails, resource: Resource): MaybePromise<Resource | undefined>;
  /** When the request was answered, whatever the answer was. */
  completeOperation?(request: RequestDetails, status: number): MaybePromise<void>;
}

const STATE = 'bulkhead.consent';

/**
 * HAPI's ConsentInterceptor: asks a service whether a request may go on, which of the resources that were found may be
 * seen, and what of them is shown. Totals count what was found, so that a service which hides resources should be used
 * with `searchNarrowing`, or for searches with `_total=none`. Writes are answered without the resource. Bulk exports run without a request and ask nobody: refuse
 * them in `startOperation`, by `request.operation`.
 */
export function consent(service: ConsentService, name = 'consent'): Interceptor {
  const hides = service.canSeeResource !== undefined || service.willSeeResource !== undefined;
  return defineInterceptor({
    name,
    hooks: {
      SERVER_INCOMING_REQUEST_PRE_HANDLED: async ({ request }) => {
        const answer = (await service.startOperation?.(request)) ?? 'proceed';
        if (answer === 'reject') throw new FhirError('FORBIDDEN', 'There is no consent to this.');
        request.attributes.set(STATE, answer);
        if (answer === 'proceed' && hides) limitWriteAnswer(request, () => false);
      },
      ...(service.canSeeResource && {
        STORAGE_PREACCESS_RESOURCES: async ({ request, value }) => {
          if (!isAsked(request)) return undefined;
          const seen: AccessedResource[] = [];
          for (const one of value)
            if ((await service.canSeeResource?.(request, one)) === true) seen.push(one);
          return seen;
        },
      }),
      ...(service.willSeeResource && {
        STORAGE_PRESHOW_RESOURCES: async ({ request, value }) => {
          if (!isAsked(request)) return undefined;
          const shown: Resource[] = [];
          for (const one of value) shown.push((await service.willSeeResource?.(request, one)) ?? one);
          return shown;
        },
      }),
      ...(service.completeOperation && {
        SERVER_PROCESSING_COMPLETED: async ({ request, status }) => {
          if (request !== undefined) await service.completeOperation?.(request, status);
        },
      }),
    },
  });
}

function isAsked({ attributes }: RequestDetails): boolean {
  return attributes.get(STATE) !== 'authorized';
}
