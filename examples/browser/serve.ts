/**
 * Serves the page on this machine and prints its address: `npx tsx examples/browser/serve.ts [model.gguf]`. The model is the bundled one by
 * default. The library's TypeScript becomes JavaScript as it is served, file by file: there is no build.
 */
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { modelFile } from 'scriptorium-weights'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

const page = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
}

/** Folders that are served, by the start of the address. */
const folders: readonly (readonly [start: string, folder: string])[] = [
  ['/modules/', join(root, 'node_modules')],
  ['/attention/', join(root, 'attention')],
  ['/errors/', join(root, 'errors')],
  ['/log/', join(root, 'log')],
  ['/', page],
]

const refa = join(root, 'node_modules', 'refa', 'index.js')

export interface PageServer extends AsyncDisposable {
  readonly url: string
}

/** Starts the server on a free port, or on `port`. */
export async function servePage({ model, port = 0 }: { readonly model: string; readonly port?: number }): Promise<PageServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const file = pathname === '/model.gguf' ? model : fileOf(decodeURIComponent(pathname))
    send(file, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${address.port}/`, [Symbol.asyncDispose]: () => close(server) }
}

function fileOf(pathname: string): string | undefined {
  const [start, folder] = folders.find(([begin]) => pathname.startsWith(begin)) ?? ['/', page]
  const file = normalize(join(folder, pathname === '/' ? 'index.html' : pathname.slice(start.length)))
  return file.startsWith(folder.endsWith(sep) ? folder : folder + sep) ? file : undefined
}

async function send(file: string | undefined, response: ServerResponse): Promise<void> {
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
  if (file === undefined || found?.isFile() !== true) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such file')
    return
  }
  if (file.endsWith('.ts')) {
    const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ESNext, verbatimModuleSyntax: true }
    const { outputText } = transpileModule(await readFile(file, 'utf8'), { compilerOptions })
    response.writeHead(200, { 'content-type': types['.ts'] }).end(outputText)
    return
  }
  if (file === refa) {
    // The only dependency that is no module yet.
    const code = await readFile(file, 'utf8')
    response
      .writeHead(200, { 'content-type': types['.js'] })
      .end(`const exports = {}\n${code}\nexport const { CharBase, CharSet, JS } = exports\n`)
    return
  }
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-length': found.size })
  createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response)
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const model = process.argv[2] ?? (await modelFile('smollm2-135m-instruct', 'model.gguf'))
  const { url } = await servePage({ model, port: Number(process.env['PORT'] ?? 0) })
  console.log(url)
}
