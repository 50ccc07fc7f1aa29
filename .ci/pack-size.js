/** The package that npm would publish: under 2 MB, with what its exports name, and without the weights. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LIMIT = 2_000_000

// Scripts are left out so that standard output holds the listing alone: build first.
const [{ size, unpackedSize, files }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
)
const paths = new Set(files.map(({ path }) => path))
const { exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const named = [
  ...Object.values(exports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target))),
  ...Object.values(bin),
]
const faults = [
  ...(size < LIMIT ? [] : [`the package has ${size} bytes, more than ${LIMIT}`]),
  ...named
    .map((path) => path.replace('./', ''))
    .filter((path) => !paths.has(path))
    .map((path) => `missing: ${path}`),
  ...[...paths].filter((path) => /^(weights|node_modules|test|bench|examples)\//.test(path)).map((path) => `should not be packed: ${path}`),
]
for (const fault of faults) console.error(fault)
console.log(`package: ${paths.size} files, ${size} bytes packed, ${unpackedSize} unpacked, ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1
