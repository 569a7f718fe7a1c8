/** A command was told to stop; the message says what has become of its work. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** A command cannot do what it was told; the message is for the person at the terminal, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
