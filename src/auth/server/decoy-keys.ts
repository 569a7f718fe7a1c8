import type { PublicKey } from '../../clients/key-set.js';

const MODULUS = [
  '5WsN3_Rsf5yIdhVq6D2uRrflymn_NT_fNiZw-JJk3oYcF1pt7X8V9fxyQaV7xpJShff6yWmWlUXOWuuuz-dK36ZkINncG8Qq',
  'Jh0Php0XZbVJVdrJp0Jw88fXf0yQaRxoh7ytLBfzJq6FxNuyITqwmmH2EtkWiuRg48nUTyGM9dRE0g9Wj5eVfdvdr-YTSiKn',
  '_uHad3E1ILlZ1t9SKuXfx83Cj6wDNgPZM3OQBrwS_jt3axPSq9BPOYql4CU-J9g4516x2ahC1ak-hQUjjG8NjtdhQUZvV1da',
  'ovcRYho5XjEonqcdfUXJtduMRNiy_tUvyxcfJ38t1xK6qq0E8uNjzQ',
].join('');

/** Public keys whose private ones nobody has: verifying with them takes as long as with a client's. */
export const DECOYS: Readonly<Record<PublicKey['alg'], PublicKey>> = {
  RS384: { kid: 'decoy', kty: 'RSA', alg: 'RS384', n: MODULUS, e: 'AQAB' },
  ES384: {
    kid: 'decoy',
    kty: 'EC',
    alg: 'ES384',
    crv: 'P-384',
    x: 'KS7ZDVY0FGZaov1ZNnj5t1_Pp0WqX0ITDWEOtK_DzRZFu3nQEdxl24RQc3fXCcQ3',
    y: 'lCnMAdX2v6WqFJ8j6p9OUCBUJupT9w7jfFivVX_3rdi3L0u20F-HBLN35T7bcd5M',
  },
};
