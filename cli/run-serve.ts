import { pino } from 'pino'
import { turnSummary } from '../agents/index.ts'
import type { Logger } from '../log/index.ts'
import { openLocalEmbedder } from '../models/index.ts'
import { openService, serve, type Server, type ServiceOptions } from '../service/index.ts'
import { EXIT } from './exit-codes.ts'
import { createInterrupt, type Interrupt } from './interrupt.ts'
import { type OpenedModel, openModel } from './model-option.ts'
import { describeConfig, effectiveConfig, type ServeConfig, type ServeFlags } from './serve-config.ts'
import { makeFolder, serviceFolder } from './store.ts'
import { printable, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** Serves until the user asks to stop; gives the exit code. The first request to stop lets what is under way finish. */
export async function runServe(flags: ServeFlags, terminal: Terminal): Promise<number> {
  const effective = await effectiveConfig(flags, terminal.env)
  const { config } = effective
  const folder = serviceFolder(flags, terminal)
  await makeFolder(folder)
  terminal.stderr.write(printable(`Serving ${folder} with\n${describeConfig(effective)}`))
  const interrupt = createInterrupt(terminal)
  try {
    await using opened = config.model === 'none' ? undefined : await openModel(modelFlags(config), interrupt.signal)
    await using embedder = config.vectors ? await openLocalEmbedder({ signal: interrupt.signal }) : undefined
    const options = serviceOptions(config, opened, createLog(config, terminal))
    const service = await openService(folder, { ...options, ...(embedder && { embedder }) })
    const server = await serve(service, config).catch(async (cause: unknown) => {
      await service.close()
      throw cause instanceof TypeError ? new UsageError(`${cause.message}: scriptorium serve keys add --tenant NAME`, { cause }) : cause
    })
    const access = (await service.isOpen()) ? 'Anything on this machine may use it, as there is no key. ' : ''
    terminal.stderr.write(`${access}Listening on ${server.url}\n`)
    await untilStopped(server, interrupt, terminal)
    return EXIT.answered
  } finally {
    interrupt.end()
  }
}

function untilStopped(server: Server, interrupt: Interrupt, terminal: Terminal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      terminal.stderr.write('Finishing what is under way; once more to stop at once\n')
      server.stop().then(resolve, reject)
    }
    interrupt.listen(stop)
    if (interrupt.requested) stop()
  })
}

function modelFlags({ model, window, maxOutput }: ServeConfig): Parameters<typeof openModel>[0] {
  return { model, ...(window !== undefined && { window }), ...(maxOutput !== undefined && { maxOutput }) }
}

function serviceOptions({ rate, cors, summaries }: ServeConfig, opened: OpenedModel | undefined, logger: Logger): Partial<ServiceOptions> {
  const { model, description } = opened ?? {}
  const origins = cors.split(',').map((origin) => origin.trim())
  return {
    open: true,
    logger,
    limits: { requestsPerSecond: rate },
    corsOrigins: origins.filter((origin) => origin !== ''),
    ...(model && { model }),
    ...(description && { description }),
    ...(model && summaries && { summary: turnSummary(model) }),
  }
}

/** Lines of JSON on standard output, by which requests are found; nothing that may be a secret. */
function createLog({ logLevel }: ServeConfig, terminal: Terminal): Logger {
  const secrets = ['authorization', 'apiKey', 'password', 'secret', 'token', 'headers', 'config']
  const redact = { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '***' }
  return pino({ name: 'scriptorium', level: logLevel, redact }, { write: (line: string) => void terminal.stdout.write(line) })
}
