import test from 'ava';
import { AddressPolicy } from '../../src/outgoing/address-policy.js';

const PRIVATE = [
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.170',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  'localhost',
  '',
];
const PUBLIC = ['8.8.8.8', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'];

test('only what belongs to the Internet is public', (t) => {
  const policy = new AddressPolicy([]);
  t.deepEqual(
    PRIVATE.filter((address) => policy.isPublic(address)),
    [],
  );
  t.deepEqual(
    PUBLIC.filter((address) => !policy.isPublic(address)),
    [],
  );
  t.deepEqual(
    [...PRIVATE, ...PUBLIC].filter((address) => policy.isAllowedAddress(address)),
    [],
  );
});

test('what the settings allow is a host, an address or a network', (t) => {
  const policy = new AddressPolicy(['idp.internal', '10.1.0.0/16', '127.0.0.1', 'fd00::/8', '[::1]']);
  t.true(policy.isAllowedHost('IDP.internal'));
  for (const host of ['idp.internal.attacker.example', 'x.idp.internal', 'idp.internal.', '10.1.0.0/16']) {
    t.false(policy.isAllowedHost(host), host);
  }
  for (const address of ['10.1.2.3', '127.0.0.1', 'fd12::1', '::1'])
    t.true(policy.isAllowedAddress(address), address);
  for (const address of ['10.2.0.1', '127.0.0.2', 'fe80::1%eth0', '::2']) {
    t.false(policy.isAllowedAddress(address), address);
  }
});
