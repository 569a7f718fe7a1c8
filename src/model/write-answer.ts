import type { RequestDetails } from './request.js';
import type { Resource } from './resource.js';

/** Whether the resource that a write left behind, or found, may be in its answer. */
export type WriteAnswerJudge = (resource: Resource) => boolean;

const JUDGE = 'bulkhead.write-answer';

/**
 * Has a write answered without the resource where `mayBeShown` says so, besides what others have said. Who may write a
 * resource need not be allowed to see all of it, or of one that a condition found.
 */
export function limitWriteAnswer({ attributes }: RequestDetails, mayBeShown: WriteAnswerJudge): void {
  const others = attributes.get(JUDGE) as WriteAnswerJudge | undefined;
  const both: WriteAnswerJudge = (resource) => others?.(resource) !== false && mayBeShown(resource);
  attributes.set(JUDGE, both);
}

/** What `limitWriteAnswer` was told; undefined where nobody limits answers. */
export function writeAnswerJudge({ attributes }: RequestDetails): WriteAnswerJudge | undefined {
  return attributes.get(JUDGE) as WriteAnswerJudge | undefined;
}
