import { IsolationError } from './isolation-error.js';

/**
 * A URL that the server gave to a tenant, as a path below the tenant's base, so that another tenant can ask for it
 * under its own; whatever name the server has for itself.
 * @throws IsolationError for a URL that is not the tenant's
 */
export function pathBelow(
  { base, name }: { readonly base: string; readonly name: string },
  link: string,
): string {
  const { pathname, search } = new URL(link, base);
  const own = new URL(base).pathname.replace(/\/$/, '');
  if (pathname === own || pathname === `${own}/`) return search;
  if (pathname.startsWith(`${own}/`)) return pathname.slice(own.length + 1) + search;
  throw new IsolationError(`The server gave ${name} a link that is not below its URL: ${link.slice(0, 200)}`);
}
