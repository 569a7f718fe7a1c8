import { isIP } from 'node:net';

/**
 * Of URLs that the operator has written down, the origins whose host is an address or `localhost`: no DNS stands in
 * between, so that whoever wrote them has said himself who is called.
 */
export function plainOrigins(urls: readonly (string | undefined)[]): readonly string[] {
  return urls.flatMap((text) => {
    if (text === undefined || !URL.canParse(text)) return [];
    const { hostname, origin } = new URL(text);
    return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || hostname === 'localhost' ? [origin] : [];
  });
}
