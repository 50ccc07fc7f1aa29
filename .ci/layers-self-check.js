/**
 * Shows that the layer rule bites: in a copy of the tree the rule must pass, and fail on each of several broken imports.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const BROKEN = [
  { file: 'errors/broken-upward.ts', text: "export { ask } from '../workflows/index.ts'\n", rule: 'errors-imports-only-lower-layers' },
  { file: 'models/broken-type.ts', text: "export type { Worker } from '../agents/index.ts'\n", rule: 'models-imports-only-lower-layers' },
  { file: 'memory/broken-inside.ts', text: "export * from '../errors/store-error.ts'\n", rule: 'errors-is-imported-through-its-index' },
  { file: 'attention/broken-node.ts', text: "export { readFile } from 'node:fs/promises'\n", rule: 'attention-uses-nothing-of-node' },
  { file: 'log/broken-circle.ts', text: "export * from './broken-circle-back.ts'\n", rule: 'no-cycle' },
  { file: 'log/broken-circle-back.ts', text: "export * from './broken-circle.ts'\n", rule: 'no-cycle' },
  { file: 'workflows/broken-dynamic.ts', text: "await import('../cli/main.ts')\n", rule: 'workflows-imports-only-lower-layers' },
]
const SKIPPED = new Set(['node_modules', '.git', 'dist', 'coverage', 'weights/models', '.scriptorium', 'bench/results'])

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const copy = mkdtempSync(join(tmpdir(), 'layers-'))
try {
  cpSync(root, copy, { recursive: true, filter: (source) => !SKIPPED.has(relative(root, source)) })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const faults = [...asItIs(), ...broken()]
  for (const fault of faults) console.error(fault)
  console.log(`layers self-check: ${BROKEN.length} broken imports, ${faults.length} faults`)
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}

function asItIs() {
  const { status, output } = check()
  return status === 0 ? [] : [`the rule fails on the tree as it is:\n${output}`]
}

function broken() {
  for (const { file, text } of BROKEN) writeFileSync(join(copy, file), text)
  const { status, output } = check()
  const missed = BROKEN.filter(({ file, rule }) => !output.split('\n').some((line) => line.startsWith(`${rule}: `) && line.includes(file)))
  return [...(status === 0 ? ['the rule passes a broken tree'] : []), ...missed.map(({ file, rule }) => `${rule} does not catch ${file}`)]
}

function check() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(copy, '.ci/layers.js')], { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}
