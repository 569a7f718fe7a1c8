import { BlockList, isIP } from 'node:net';

/**
 * IPv4 networks that are nobody's on the Internet: https://www.iana.org/assignments/iana-ipv4-special-registry. Private
 * ones, this machine, link-local (cloud metadata among it), carriers' own, documentation, multicast, reserved.
 */
const SPECIAL_IPV4: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** All that the Internet uses; mapped IPv4, NAT64, unique local and link-local addresses are outside. */
const GLOBAL_IPV6 = '2000::/3';

/** What is within it and leads elsewhere: protocols with Teredo, documentation, 6to4. */
const SPECIAL_IPV6: readonly string[] = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Says which addresses may be called. */
export class AddressPolicy {
  private readonly special = listOf(SPECIAL_IPV4, 'ipv4');
  private readonly global = listOf([GLOBAL_IPV6], 'ipv6');
  private readonly specialWithin = listOf(SPECIAL_IPV6, 'ipv6');
  private readonly allowedNetworks = new BlockList();
  private readonly allowedHosts: ReadonlySet<string>;

  /** @param allow - host names, addresses and networks (`10.0.0.0/8`) that may be called although they are private */
  constructor(allow: readonly string[]) {
    const hosts = new Set<string>();
    for (const place of allow) {
      const [text = '', bits] = place.replace(/^\[|\](?=\/|$)/g, '').split('/');
      const family = isIP(text);
      if (family === 0) hosts.add(text.toLowerCase());
      else this.allowedNetworks.addSubnet(text, toBits(bits, family), family === 6 ? 'ipv6' : 'ipv4');
    }
    this.allowedHosts = hosts;
  }

  /** Whether a host name, as a URL has it, is allowed whatever it resolves to. */
  isAllowedHost(host: string): boolean {
    return this.allowedHosts.has(host.toLowerCase());
  }

  /** Whether an address lies in a network that is allowed. */
  isAllowedAddress(address: string): boolean {
    return !isZoned(address) && this.allowedNetworks.check(address, familyOf(address));
  }

  /** Whether an address is one of the Internet's. */
  isPublic(address: string): boolean {
    const family = isIP(address);
    if (family === 4) return !this.special.check(address, 'ipv4');
    return (
      family === 6 &&
      !isZoned(address) &&
      this.global.check(address, 'ipv6') &&
      !this.specialWithin.check(address, 'ipv6')
    );
  }
}

function listOf(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function toBits(bits: string | undefined, family: number): number {
  return bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
}

/** An address of one network card: `fe80::1%eth0`. */
function isZoned(address: string): boolean {
  return address.includes('%');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
