import { z } from 'zod';
import type { Kind } from './kinds.js';

/** An absolute http(s) URL without query; given back without a trailing slash. */
export const webUrl: Kind<string> = {
  type: z.string().trim().refine(isWebUrl).transform(withoutEndSlashes),
  values: 'an absolute http or https URL without a query',
};

/** The text without the slashes at its end. */
export function withoutEndSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end--;
  return text.slice(0, end);
}

/** A path of URL-safe segments; given back without a trailing slash, so that `/` becomes the empty text. */
export const urlPath: Kind<string> = {
  type: z
    .string()
    .trim()
    .regex(/^(\/[A-Za-z0-9._~-]+)*\/?$/)
    .transform((path) => path.replace(/\/$/, '')),
  values: 'a path such as `/fhir`, or `/`',
};

/** The name of an HTTP header. */
export const headerName: Kind<string> = {
  type: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9-]+$/),
  values: 'a header name',
};

/** Where the data is. The URL is not repeated in errors, since it may hold a password. */
export const databaseUrl: Kind<string> = {
  type: z
    .string()
    .trim()
    .regex(/^(sqlite|postgres|postgresql):./),
  values: '`sqlite:PATH`, `sqlite::memory:`, or `postgres://USER:PASSWORD@HOST/DATABASE`',
  explain: (url) => {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(String(url))?.[1];
    return scheme === undefined
      ? 'this is no URL'
      : `the scheme "${scheme}" is not supported in this version`;
  },
};

const SEGMENT = '[A-Za-z0-9_][A-Za-z0-9._-]*';

/** Where the files of exports are kept. */
export const exportPlace: Kind<string> = {
  type: z
    .string()
    .trim()
    .regex(new RegExp(`^(local|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/${SEGMENT})*/?)$`)),
  values: '`local`, `s3://BUCKET` or `s3://BUCKET/PREFIX`',
};

/** An origin as browsers send it, or `*`; one with a star in it would match nothing. */
export const pageOrigin: z.ZodType<string, string> = z
  .string()
  .refine((text) => text === '*' || (!text.includes('*') && isWebUrl(text) && new URL(text).origin === text));

function isWebUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, search, hash, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && search + hash + username + password === '';
}
