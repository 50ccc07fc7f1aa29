/** Erasure that can be proved: shown first, confirmed, and looked for afterwards in everything that held it. */
import { createHash, randomUUID } from 'node:crypto'
import { StoreError } from '../errors/index.ts'
import type { Erasable, ErasureFinding, ErasureTarget } from '../memory/index.ts'
import { createByteScan } from './byte-scan.ts'
import { collectContent, type ErasureScan, probeSearches, type SearchProbe, scanFiles } from './erasure-check.ts'

/** What would go, and the token that confirms it. */
export interface ErasurePreview {
  readonly target: ErasureTarget
  /** One of each holder, in their order. */
  readonly findings: readonly ErasureFinding[]
  /** Confirms the erasure of just that: of what was found, as it was found. It names the target and holds no text. */
  readonly token: string
}

/** What went, and how it was made sure of. It holds no text. */
export interface ErasureReceipt {
  readonly id: string
  readonly target: ErasureTarget
  /** What each holder erased: counts, and a hash over ids and texts. */
  readonly erased: readonly ErasureFinding[]
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** What the bytes of the holders' files still hold. */
  readonly scan: ErasureScan
  /** What searches of the stores for the texts still find. */
  readonly searches: SearchProbe
  /** Whether the holders, the files and the searches hold nothing of it any more. */
  readonly verified: boolean
}

export interface Erasure {
  preview(target: ErasureTarget): Promise<ErasurePreview>
  /**
   * Erases what a preview showed, from all holders, and looks for it afterwards. After a failure on the way it can be previewed and confirmed
   * again: what went before is gone.
   *
   * @throws TypeError for what is no token; StoreError `conflict` when there is more or less to erase than the preview showed
   */
  confirm(token: string): Promise<ErasureReceipt>
}

export interface ErasureOptions {
  readonly now?: () => number
  /** Makes the receipt's id. */
  readonly createId?: () => string
  /** The only scope that may be erased, whatever a token says; any by default. */
  readonly scope?: string
}

/**
 * Erases from several holders at once. A text that a receipt says is still in a file is one that nothing kept accounts for: pages of a file that
 * another process keeps in use, or a copy in a holder that was not named.
 *
 * @param holders stores, journals and caches that may hold what is to go
 * @example
 * ```ts
 * const { preview, confirm } = erasure([memory, journal])
 * const { findings, token } = await preview({ scope: 'ada', documentIds: ['chat-7'] })
 * const receipt = await confirm(token)
 * ```
 */
export function erasure(holders: readonly Erasable[], options: ErasureOptions = {}): Erasure {
  const { now = Date.now, createId = randomUUID, scope } = options

  async function preview(target: ErasureTarget): Promise<ErasurePreview> {
    checkTarget(target)
    if (scope !== undefined && target.scope !== scope)
      throw new TypeError('Cannot erase as it is another scope than the one that may be erased')
    const findings: ErasureFinding[] = []
    for (const holder of holders) findings.push(await holder.findErasable(target))
    return { target, findings, token: tokenOf(target, findings) }
  }

  async function confirm(token: string): Promise<ErasureReceipt> {
    const target = targetOf(token)
    const current = await preview(target)
    if (current.token !== token) {
      throw new StoreError('Cannot erase as what is there is not what the preview showed. Preview again and confirm that', {
        reason: 'conflict',
        store: current.findings.map(({ holder }) => holder).join(', '),
      })
    }
    const content = createByteScan()
    const texts = await collectContent(holders, target, content)
    const erased: ErasureFinding[] = []
    for (const holder of holders) erased.push(await holder.erase(target))
    const { findings } = await preview(target)
    const scan = await scanFiles(holders, content)
    const searches = await probeSearches(holders, target, texts)
    const verified = findings.every(isEmpty) && scan.found.length === 0 && searches.found === 0
    return { id: createId(), target, erased, createdAt: now(), scan, searches, verified }
  }

  return { preview, confirm }
}

/** The target, then what was found: whoever has the token need not name the target again. */
function tokenOf(target: ErasureTarget, findings: readonly ErasureFinding[]): string {
  const found = createHash('sha256').update(JSON.stringify(findings)).digest('hex')
  return `${Buffer.from(JSON.stringify(target)).toString('base64url')}.${found}`
}

function targetOf(token: string): ErasureTarget {
  try {
    const { scope, documentIds, ids } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as ErasureTarget
    const target = { scope, ...(documentIds ? { documentIds } : {}), ...(ids ? { ids } : {}) }
    checkTarget(target)
    return target
  } catch {
    throw new TypeError(`Cannot erase as this is not the token of a preview: ${token}. Preview first`)
  }
}

function checkTarget({ scope, documentIds = [], ids = [] }: ErasureTarget): void {
  for (const name of [scope, ...documentIds, ...ids]) {
    if (typeof name !== 'string') throw new TypeError(`Cannot erase as a scope, document or record is not named by a text: ${String(name)}`)
  }
}

function isEmpty({ counts }: ErasureFinding): boolean {
  return Object.values(counts).every((count) => count === 0)
}
