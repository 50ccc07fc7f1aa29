import { type LookupAddress, lookup, type LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'

/**
 * Networks that are not of the public internet: this host, private and shared ones, link-local ones (with the metadata services of clouds),
 * multicast, reserved (IANA special-purpose registries, RFC 6890), and the IPv6 forms that stand for an IPv4 address.
 */
const INNER = new BlockList()
for (const network of [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16',
  '198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  '::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 fc00::/7 fe80::/10 fec0::/10 ff00::/8',
].flatMap((row) => row.split(' '))) {
  const [address = '', prefix] = network.split('/')
  INNER.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4')
}

/** Whether an IP address, without brackets, is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  // An IPv4 address in the form of IPv6 is checked as IPv4.
  return family !== 0 && !INNER.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** `dns.lookup` that fails for a name with an address that is not public: what was checked is what is connected to. */
export function lookupPublic(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, [])
    const inner = addresses.find(({ address }) => !isPublicAddress(address))
    if (inner) return callback(new InnerAddressError(`${hostname} is ${inner.address}`), [])
    if (options.all === true) return callback(null, addresses)
    const [first] = addresses
    callback(null, first?.address ?? '', first?.family)
  })
}

/** A name leads into a private network. */
export class InnerAddressError extends Error {
  override readonly name = 'InnerAddressError'
}
