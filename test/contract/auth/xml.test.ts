import test from 'ava';
import { openGuarded } from './fixtures.js';

const XML = 'application/fhir+xml';

test('who is refused hears it in XML where XML was asked for, before any XML of theirs is read', async (t) => {
  const { client, as } = await openGuarded(t);
  const headers = { accept: XML, 'content-type': XML };
  const refused = await client.send('POST', 'acme/Patient', {
    headers,
    body: '<!DOCTYPE x><not well formed',
  });
  t.is(refused.status, 401);
  t.is(refused.headers.get('www-authenticate'), 'Bearer');
  t.is(refused.headers.get('content-type'), 'application/fhir+xml; charset=utf-8');
  t.true(refused.text.includes('LOGIN_REQUIRED'));
  const broken = await as({ tenant_id: 'acme' }, 'acme/Patient', { headers, body: '<!DOCTYPE x><not' });
  t.is(broken.status, 400);
  t.true(broken.text.includes('MALFORMED_XML'));
  const body = '<Patient xmlns="http://hl7.org/fhir"/>';
  t.is((await as({ tenant_id: 'acme' }, 'acme/Patient', { headers, body })).status, 201);
  const foreign = await as({ tenant_id: 'beta' }, 'acme/Patient', { headers, body });
  t.is(foreign.status, 403);
  t.is(foreign.headers.get('content-type'), 'application/fhir+xml; charset=utf-8');
});
