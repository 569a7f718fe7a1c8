/** The attacks could not be tried; the message is for whoever runs them. */
export class IsolationError extends Error {
  override readonly name = 'IsolationError';
}
