/** Somebody else works on the export, or it has ended: whatever was done since is nobody's. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';

  constructor() {
    super('The claim to an export is lost.');
  }
}

/** The server stops: another one goes on. */
export class WorkStoppedError extends Error {
  override readonly name = 'WorkStoppedError';

  constructor() {
    super('The work on an export was stopped.');
  }
}
