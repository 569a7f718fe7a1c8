import { z } from 'zod';
import { webUrl } from './addresses.js';
import { list, oneOf, optional, setting } from './kinds.js';

const capabilities = list(z.string().regex(/^[a-z0-9-]+$/), 'a list of words such as `launch-standalone`');

/** Settings about who gives tokens, and what clients are told of it. */
export const AUTHORIZATION_SERVER_SETTINGS = {
  authServer: setting(
    oneOf('on', 'off'),
    'on',
    'With `auth` `on`: whether clients that are registered here (`bulkhead client add`) get tokens from this server.',
  ),
  smartTokenUrl: optional(
    webUrl,
    "With `auth` `on`: another server's token endpoint, which `.well-known/smart-configuration` then names.",
  ),
  smartAuthorizationUrl: optional(
    webUrl,
    "With `auth` `on`: another server's authorization endpoint, where people log in, for `.well-known/smart-configuration`.",
  ),
  smartCapabilities: setting(
    capabilities,
    [],
    'SMART capabilities that `.well-known/smart-configuration` names besides, for what another server can.',
  ),
} as const;
