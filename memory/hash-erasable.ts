import { createHash } from 'node:crypto'

/**
 * SHA-256, in hexadecimal, over what an erasure found: the same for the same entries in any order.
 *
 * @param entries the id of each thing found with its texts, in one order of parts
 */
export function hashErasable(entries: Iterable<readonly (string | undefined)[]>): string {
  const hash = createHash('sha256')
  const lines = Array.from(entries, (entry) => JSON.stringify(entry.map((part) => part ?? null))).sort()
  for (const line of lines) hash.update(`${line}\n`)
  return hash.digest('hex')
}
