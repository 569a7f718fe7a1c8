import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { defineInterceptor, FhirError } from '../src/index.js';
import type { HookEvent, Interceptor, RequestDetails } from '../src/index.js';

/** How fast one partition may be asked. */
export interface Rate {
  /** Requests in each period; an entry of a bundle is one. */
  readonly requests: number;
  /** Length of the period. */
  readonly seconds: number;
}

/** Options of `rateLimit`. */
export interface RateLimitOptions {
  /** The rate of a partition, by its name; `_ALL` for requests over all of them. Undefined: without a limit. */
  readonly rateOf: (tenant: string) => Rate | undefined;
  /**
   * Milliseconds that a refusal is held back, half as long to half as long again, so that whoever asks again at once
   * cannot keep the server busy with it; 0 if left out. Entries of bundles are refused at once.
   */
  readonly refuseAfterMs?: number;
  /** Milliseconds of a clock that never goes back; that of the process if left out. */
  readonly clock?: () => number;
  /** Name in logs and explanations; `rate-limit` if left out. */
  readonly name?: string;
}

/** What a partition may still ask for, and when that was worked out. */
interface Bucket {
  left: number;
  at: number;
}

/** What an answer tells of the limit. */
interface Told {
  readonly rate: Rate;
  readonly left: number;
}

/** Partitions that were not asked for longest are forgotten, and begin anew. */
const MOST_BUCKETS = 10_000;
const TOLD = 'bulkhead.rate-limit';
/** Who may not be let in learns nothing of how much a partition is asked. */
const REFUSED: ReadonlySet<number> = new Set([401, 403]);

/**
 * Limits how fast each partition is asked: 429 TOO_MANY_REQUESTS with Retry-After, before anything is read. A partition
 * may ask for a whole period's requests at once, and gets them back evenly. Answers say what is left
 * (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07). Each server counts for itself.
 * @throws Error for a rate that is not above zero, when it is first used.
 */
export function rateLimit(options: RateLimitOptions): Interceptor {
  const { rateOf, refuseAfterMs = 0, clock = () => performance.now(), name = 'rate-limit' } = options;
  const buckets = new LRUCache<string, Bucket>({ max: MOST_BUCKETS });
  const counted = new WeakSet<RequestDetails['attributes']>();
  const count = (event: Selected): void => {
    for (const tenant of tenantsOf(event)) {
      const rate = rateOf(tenant);
      if (rate !== undefined)
        tell(event.request, { rate, left: take(buckets, { tenant, rate, now: clock() }) });
    }
  };
  return defineInterceptor({
    name,
    hooks: {
      STORAGE_PARTITION_SELECTED: (event) => {
        // An update as create selects twice: it is one request all the same.
        if (counted.has(event.request.attributes)) return undefined;
        counted.add(event.request.attributes);
        try {
          count(event);
          return undefined;
        } catch (refusal) {
          if (refuseAfterMs === 0 || event.request.parent !== undefined) throw refusal;
          return pause(scattered(refuseAfterMs)).then(() => Promise.reject(refusal));
        }
      },
      SERVER_OUTGOING_RESPONSE: ({ request, value }) => {
        const told = toldOf(request);
        return told && { ...value, headers: { ...value.headers, ...toHeaders(told) } };
      },
      SERVER_HANDLE_EXCEPTION: ({ request, error, response }) => {
        const told = REFUSED.has(error.status) ? undefined : toldOf(request);
        if (told) Object.assign(response.headers, toHeaders(told));
      },
    },
  });
}

/** Those who are refused together would come back together: each is held for half to one and a half of the time. */
function scattered(ms: number): number {
  return ms * (0.5 + Math.random());
}

type Selected = HookEvent<'STORAGE_PARTITION_SELECTED'>;

function tenantsOf({ partitions, all }: Selected): readonly string[] {
  return all ? ['_ALL'] : partitions.map(({ name }) => name);
}

interface Taking {
  readonly tenant: string;
  readonly rate: Rate;
  readonly now: number;
}

/** Takes one request out of the bucket. @returns How many are left */
function take(buckets: LRUCache<string, Bucket>, { tenant, rate, now }: Taking): number {
  if (!(rate.requests > 0 && rate.seconds > 0)) throw new Error('A rate must be above zero.');
  const bucket = buckets.get(tenant) ?? { left: rate.requests, at: now };
  const msOfOne = (rate.seconds * 1000) / rate.requests;
  bucket.left = Math.min(rate.requests, bucket.left + (now - bucket.at) / msOfOne);
  bucket.at = now;
  buckets.set(tenant, bucket);
  if (bucket.left < 1) throw refused({ rate, left: 0 }, Math.ceil(((1 - bucket.left) * msOfOne) / 1000));
  bucket.left -= 1;
  return Math.floor(bucket.left);
}

function refused(told: Told, retryAfter: number): FhirError {
  return new FhirError('TOO_MANY_REQUESTS', 'This partition is asked too often; wait as Retry-After says.', {
    headers: { ...toHeaders(told), 'retry-after': String(Math.max(1, retryAfter)) },
  });
}

function toldOf(request: RequestDetails | undefined): Told | undefined {
  return request?.attributes.get(TOLD) as Told | undefined;
}

/** Of several partitions, the one that has least left. */
function tell({ attributes }: RequestDetails, told: Told): void {
  const before = attributes.get(TOLD) as Told | undefined;
  if (before === undefined || told.left < before.left) attributes.set(TOLD, told);
}

function toHeaders({ rate, left }: Told): Record<string, string> {
  return {
    'ratelimit-policy': `${rate.requests};w=${rate.seconds}`,
    'ratelimit-limit': String(rate.requests),
    'ratelimit-remaining': String(left),
    'ratelimit-reset': String(Math.ceil(((rate.requests - left) * rate.seconds) / rate.requests)),
  };
}
