import { FhirError } from '../model/errors.js';

/** Counts the bytes of the bodies that a server holds, which clients can make it do for as long as they may stall. */
export class BodyMemory {
  private held = 0;

  constructor(private readonly most: number) {}

  /** @throws FhirError BUSY */
  take(bytes: number): void {
    if (this.held + bytes > this.most) {
      throw new FhirError('BUSY', 'The server is reading as much as it may hold.', {
        headers: { 'Retry-After': '1', connection: 'close' },
      });
    }
    this.held += bytes;
  }

  give(bytes: number): void {
    this.held -= bytes;
  }
}

/** What one request has taken of it. */
export class BodyShare {
  private taken = 0;

  constructor(private readonly memory: BodyMemory) {}

  /** @throws FhirError BUSY */
  take(bytes: number): void {
    this.memory.take(bytes);
    this.taken += bytes;
  }

  /** Gives everything back, however often it is called. */
  end(): void {
    this.memory.give(this.taken);
    this.taken = 0;
  }
}
