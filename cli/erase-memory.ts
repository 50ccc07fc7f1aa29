import { join } from 'node:path'
import type { Erasable, ErasureFinding, ErasureTarget } from '../memory/index.ts'
import { cacheHolder, erasure, type ErasurePreview, type ErasureReceipt, sqliteJournal } from '../workflows/index.ts'
import { EXIT } from './exit-codes.ts'
import type { EraseFlags } from './memory-flags.ts'
import { number } from './print-answer.ts'
import { openAny } from './run-memory.ts'
import { cacheFolder, indexFile, isThere, storeFolder } from './store.ts'
import { printable, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** Shows what would go, or erases it when it is confirmed; gives the exit code. */
export async function eraseMemory(file: string | undefined, flags: EraseFlags, terminal: Terminal): Promise<number> {
  const { scope, document, id, confirm: token, journal = join(storeFolder(flags, terminal), 'runs.db') } = flags
  if (token !== undefined && (scope !== undefined || document || id)) {
    throw new UsageError('Cannot use --scope, --document or --id with --confirm as the token says what to erase. Leave them out')
  }
  const isNamed = file !== undefined || (await isThere(indexFile(flags, terminal)))
  await using memory = isNamed ? await openAny(file, flags, terminal) : undefined
  await using runs = (await isThere(journal)) ? sqliteJournal(journal) : undefined
  const holders: readonly (Erasable | undefined)[] = [memory, runs, cacheHolder(cacheFolder(flags, terminal))]
  const { preview, confirm } = erasure(holders.filter((holder) => holder !== undefined))
  if (token !== undefined) {
    const receipt = await confirm(token).catch((cause: unknown) => {
      throw cause instanceof TypeError ? new UsageError(cause.message, { cause }) : cause
    })
    return showReceipt(receipt, flags, terminal)
  }
  showPreview(await preview(targetOf(flags)), file, flags, terminal)
  return EXIT.answered
}

function targetOf({ scope, document, id }: EraseFlags): ErasureTarget {
  if (scope === undefined) throw new UsageError('Cannot erase as no scope is named. Name it with --scope; that of ask is default')
  return { scope, ...(document ? { documentIds: document } : {}), ...(id ? { ids: id } : {}) }
}

function showPreview({ findings, token }: ErasurePreview, file: string | undefined, flags: EraseFlags, terminal: Terminal): void {
  if (flags.json === true) return void terminal.stdout.write(`${JSON.stringify({ findings, token })}\n`)
  if (findings.every((finding) => describe(finding) === undefined)) return void terminal.stderr.write('There is nothing to erase\n')
  const again = ['scriptorium memory erase', ...(file === undefined ? [] : [file]), `--confirm ${token}`].join(' ')
  terminal.stdout.write(`Would erase\n${linesOf(findings)}`)
  terminal.stderr.write(`Nothing is erased yet. To erase just this: ${printable(again)}\n`)
}

function showReceipt(receipt: ErasureReceipt, { json }: EraseFlags, terminal: Terminal): number {
  const { id, erased, scan, searches, verified } = receipt
  if (json === true) terminal.stdout.write(`${JSON.stringify(receipt)}\n`)
  else {
    terminal.stdout.write(
      `Erased\n${linesOf(erased)}Receipt ${id}: looked for ${number(scan.contents)} texts and vectors in ${number(scan.bytes)} bytes of ${number(scan.files)} files, and by ${number(searches.searches)} searches\n`,
    )
  }
  if (verified) return EXIT.answered
  const files = Array.from(new Set(scan.found.map(({ file }) => file)))
  const where = files.length > 0 ? files.join(', ') : 'what has come since'
  terminal.stderr.write(`Not all of it is gone: some is still in ${printable(where)}. Close what uses it and erase again\n`)
  return EXIT.incomplete
}

function linesOf(findings: readonly ErasureFinding[]): string {
  return findings.map((finding) => `  ${finding.holder.padEnd(8)} ${describe(finding) ?? 'nothing'}\n`).join('')
}

/** `2 turns, 1 facts`; undefined for nothing. */
function describe({ counts }: ErasureFinding): string | undefined {
  const parts = Object.entries(counts).filter(([, amount]) => amount > 0)
  return parts.length === 0 ? undefined : parts.map(([kind, amount]) => `${number(amount)} ${kind}`).join(', ')
}
