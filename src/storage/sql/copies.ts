/** The path, of each type, under which its resources stand whose referrers have copies of values that they had. */
export const STALE_COPIES = 'stale copies';
