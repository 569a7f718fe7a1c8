import { defineInterceptor } from '../../../src/index.js';

/** Partitions by the tenant of the URL, and the date that a resource says in its language: `x-2019-12-31`. */
export const dated = defineInterceptor({
  name: 'dated',
  hooks: {
    STORAGE_PARTITION_IDENTIFY_CREATE: ({ resource, request }) => {
      const date = (resource as { readonly language?: string }).language?.slice(2);
      return { by: 'name', names: [request.urlTenant ?? 'DEFAULT'], ...(date ? { date } : {}) };
    },
    STORAGE_PARTITION_IDENTIFY_READ: ({ request }) => ({
      by: 'name',
      names: [request.urlTenant ?? 'DEFAULT'],
    }),
  },
});
