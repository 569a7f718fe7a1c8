/** Scheme and authority of `http://host:port/path?query`; a user's name in front of the host is none of HTTP. */
const ABSOLUTE = /^https?:\/\/[^/?#@\s\\]+(?=[/?]|$)/i;

/**
 * A request's target as a path: clients of proxies send a whole URL, which servers must take
 * (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2). Which host it names counts as little as the header Host does.
 * Whatever is no such URL stays as it is.
 */
export function toOriginForm(target: string): string {
  if (target.startsWith('/')) return target;
  const [origin] = ABSOLUTE.exec(target) ?? [];
  if (origin === undefined) return target;
  const rest = target.slice(origin.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whether a target can be answered: a path, or the whole server, as OPTIONS may ask. */
export function isOriginForm(target: string, method: string | undefined): boolean {
  return target.startsWith('/') || (target === '*' && method === 'OPTIONS');
}
