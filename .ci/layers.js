/**
 * The layer rule: imports point one way, a folder is imported only through its index.ts, nothing imports in a circle,
 * and attention/ uses nothing of Node. Exits 1 and lists what breaks it.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cruise } from 'dependency-cruiser'

/** Folders that form the library, lowest first; folders of one row do not see each other. */
const ROWS = [
  ['errors', 'log'],
  ['attention'],
  ['models'],
  ['chunkers'],
  ['memory'],
  ['agents'],
  ['workflows'],
  ['langchain'],
  ['service'],
  ['cli'],
]
const LIBRARY = ROWS.flat()
/** What stands above the library. Only tests may look inside a folder. */
const ABOVE = ['testing', 'examples', 'bench', 'test']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
process.chdir(root)

const folders = [...LIBRARY, ...ABOVE].filter((folder) => existsSync(folder))
const sources = [...readdirSync('.'), ...folders.flatMap(filesOf)].filter(isSource)
const { output } = await cruise([...folders, ...sources.filter((file) => !file.includes('/'))], {
  ruleSet: { forbidden: rules() },
  validate: true,
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  exclude: { path: '^(node_modules|dist|coverage)/' },
  enhancedResolveOptions: { extensions: ['.ts', '.js', '.json', '.d.ts'] },
})

const seen = new Set(output.modules.map(({ source }) => source))
const unseen = sources.filter((file) => !seen.has(file))
const { violations } = output.summary
for (const { from, to, rule, cycle } of violations)
  console.error(`${rule.name}: ${from} -> ${cycle ? cycle.map(({ name }) => name).join(' -> ') : to}`)
for (const file of unseen) console.error(`not checked: ${file}`)
// A checker that cannot parse TypeScript sees no module and finds no fault.
if (sources.length === 0) console.error('not checked: no source file was found')
const broken = violations.length + unseen.length
console.log(`layers: ${sources.length} files, ${broken} faults`)
process.exit(broken > 0 || sources.length === 0 ? 1 : 0)

function rules() {
  const upward = ROWS.flatMap((row, at) =>
    row.map((folder) => forbid(`${folder}-imports-only-lower-layers`, [folder], mayNotSee(folder, at))),
  )
  return [
    ...upward,
    forbid('testing-sees-the-library', ['testing'], ['index.ts', 'cli', 'service', 'examples', 'bench', 'test']),
    forbid('examples-see-the-library', ['examples'], ['bench', 'test']),
    forbid('bench-sees-the-library', ['bench'], ['examples', 'test']),
    forbid('the-main-index-sees-the-library', ['index.ts'], ['cli', 'service', ...ABOVE]),
    ...[...LIBRARY, ...ABOVE].map(throughIndex),
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'attention-uses-nothing-of-node', severity: 'error', from: { path: '^attention/' }, to: { dependencyTypes: ['core'] } },
    { name: 'every-relative-import-resolves', severity: 'error', from: {}, to: { couldNotResolve: true, path: '^\\.' } },
  ]
}

function mayNotSee(folder, at) {
  const others = ROWS.slice(at)
    .flat()
    .filter((other) => other !== folder)
  const application = folder === 'cli' || folder === 'service'
  return [...others, ...(application ? [] : ['index.ts']), ...ABOVE]
}

function forbid(name, from, to) {
  return { name, severity: 'error', from: { path: pathsOf(from) }, to: { path: pathsOf(to) } }
}

function throughIndex(folder) {
  return {
    name: `${folder}-is-imported-through-its-index`,
    severity: 'error',
    from: { path: '\\.ts$', pathNot: `^(${folder}|test)/` },
    to: { path: `^${folder}/`, pathNot: `^${folder}/index\\.ts$` },
  }
}

function pathsOf(names) {
  return `^(${names.map((name) => (name === 'index.ts' ? 'index\\.ts$' : `${name}/`)).join('|')})`
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true }).map((file) => join(folder, file))
}

function isSource(file) {
  return file.endsWith('.ts') && !file.endsWith('.d.ts')
}
