import type { Storage } from '../storage/storage.js';
import type { StoredJob } from '../storage/store.js';

/** A job whose worker was killed is taken over after this time. */
const LEASE_MS = 3_000;
const RENEW_MS = 500;

/** Who works, and where leases are kept. */
export interface LeaseParts {
  readonly storage: Pick<Storage, 'leaseJob'>;
  /** Different for every server and command. */
  readonly owner: string;
  readonly onError: (job: StoredJob, error: unknown) => void;
}

/**
 * Does the work if no other server or command on the database has the job's lease, and renews the lease meanwhile.
 * `isLost` tells that another one has taken it over: then the work must end.
 */
export async function whileLeased(
  { storage, owner, onError }: LeaseParts,
  job: StoredJob,
  work: (isLost: () => boolean) => Promise<void>,
): Promise<void> {
  if (!(await storage.leaseJob(job.id, owner, LEASE_MS))) return;
  let isLost = false;
  const renewing = setInterval(() => {
    storage.leaseJob(job.id, owner, LEASE_MS).then(
      (isHeld) => (isLost ||= !isHeld),
      (error: unknown) => onError(job, error),
    );
  }, RENEW_MS);
  try {
    await work(() => isLost);
  } finally {
    clearInterval(renewing);
  }
}
