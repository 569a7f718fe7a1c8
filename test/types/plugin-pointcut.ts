// Compiled, never run: a plugin merges a pointcut of its own.
import { defineInterceptor } from 'bulkhead-fhir';
import type { Decide, HookRegistry, Veto } from 'bulkhead-fhir';

declare module 'bulkhead-fhir' {
  interface PointcutMap {
    ACME_INVOICE_PRICED: Decide<{ readonly invoice: string }, number>;
    ACME_INVOICE_SENT: Veto<{ readonly invoice: string }>;
  }
}

export const pricing = defineInterceptor({
  name: 'pricing',
  hooks: { ACME_INVOICE_PRICED: ({ invoice }) => invoice.length },
});

export const wrong = defineInterceptor({
  name: 'wrong',
  // @ts-expect-error a price is a number
  hooks: { ACME_INVOICE_PRICED: ({ invoice }) => invoice },
});

export const unknown = defineInterceptor({
  name: 'unknown',
  // @ts-expect-error nobody has merged this one
  hooks: { ACME_INVOICE_LOST: () => undefined },
});

/** What a plugin may define and dispatch. */
export async function plugin(registry: HookRegistry): Promise<number | undefined> {
  registry.define('ACME_INVOICE_PRICED', { mode: 'decide', manual: 'Fires when an invoice needs a price.' });
  registry.define('ACME_INVOICE_SENT', {
    mode: 'veto',
    refusal: 'throw',
    manual: 'Fires before it is sent.',
  });
  // @ts-expect-error the type says decide
  registry.define('ACME_INVOICE_PRICED', { mode: 'observe', manual: 'Fires when an invoice needs a price.' });
  // @ts-expect-error the type says that only a throw refuses
  registry.define('ACME_INVOICE_SENT', { mode: 'veto', refusal: 'throw-or-false', manual: 'Fires before.' });
  // @ts-expect-error the framework's own pointcuts are defined
  registry.define('SERVER_PROCESSING_COMPLETED', { mode: 'observe', manual: 'Fires at the end.' });
  // @ts-expect-error a decision is not observed
  await registry.observe('ACME_INVOICE_PRICED', { invoice: '1' });
  // @ts-expect-error the event has an invoice
  await registry.veto('ACME_INVOICE_SENT', {});
  return registry.decide('ACME_INVOICE_PRICED', { invoice: '1' });
}
