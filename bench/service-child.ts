/** A service in a process of its own, to be killed: serves the folder that it is given and says where. */
import { openService, serve } from '../service/index.ts'
import { scriptedEmbedder } from '../testing/index.ts'

const [folder = ''] = process.argv.slice(2)
const service = await openService(folder, { embedder: scriptedEmbedder(), open: true, limits: { requestsPerSecond: 1e9 } })
const { url } = await serve(service, { port: 0 })
process.stdout.write(`${url}\n`)
