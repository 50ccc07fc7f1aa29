import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * Starts a thread on a file of this library, named as it is in the package, with `.js`. In a checkout it is source, and the thread has to register
 * a loader before it imports the file.
 */
export function startThread(file: URL, options: WorkerOptions = {}): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(file, options)
  const loader = new URL('index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api'))).href
  const source = file.href.replace(/\.js$/, '.ts')
  const code = `import('${loader}').then(({ register }) => { register(); return import('${source}') })`
  return new Worker(code, { ...options, eval: true, execArgv: [] })
}
