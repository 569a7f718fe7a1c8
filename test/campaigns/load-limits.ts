import { rateLimit } from '../../interceptors/index.js';

/** More than any client of the campaign asks for that gives the server time to answer, and far less than a flood. */
export const REQUESTS_A_SECOND = 200;
/** Entries of a bundle are requests: what comes at once may be more. */
export const SECONDS = 5;

/** Whoever does not wait as told is slowed down. */
const HELD_MS = 250;

/** What an operator who expects floods registers. */
export default rateLimit({
  rateOf: () => ({ requests: REQUESTS_A_SECOND * SECONDS, seconds: SECONDS }),
  refuseAfterMs: HELD_MS,
});
