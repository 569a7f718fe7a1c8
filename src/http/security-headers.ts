import type { Settings } from '../settings/schema.js';

/** One year, as https://www.rfc-editor.org/rfc/rfc6797 counts. */
const STRICT_TRANSPORT = 'max-age=31536000';

/** What every answer says to browsers: that it is data, never a page, and nobody's but the asker's. */
const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'private, no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

/** Headers of every answer. Only who is reached by https may say that it shall stay so. */
export function securityHeaders({
  publicUrl,
}: Pick<Settings, 'publicUrl'>): Readonly<Record<string, string>> {
  return publicUrl?.startsWith('https:')
    ? { ...ALWAYS, 'strict-transport-security': STRICT_TRANSPORT }
    : ALWAYS;
}
