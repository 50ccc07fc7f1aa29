/** The attention core next to node-llama-cpp: the same file, the same threads, one run, by turns. */
import { readFile } from 'node:fs/promises'
import { alternate, type Alternated } from './alternate.ts'
import type { Bench } from './bench.ts'
import { copyRate } from './copy-rate.ts'
import { linePlot, type PlotPoint } from './plot.ts'
import { Reader } from './reader.ts'

/** Bytes of weights that a token reads in the 4-bit form. */
const tokenBytes = 96e6

/** Tokens generated for one figure of decoding. */
const decodeTokens = 32

interface Sizes {
  readonly lengths: readonly number[]
  readonly pairs: number
  readonly longPairs: number
}

type Figures = Record<string, number>

export const bench: Bench = {
  name: 'attention',
  async run({ quick, signal, log }) {
    const sizes: Sizes = quick
      ? { lengths: [512, 4096], pairs: 3, longPairs: 1 }
      : { lengths: [512, 2048, 4096, 8000], pairs: 7, longPairs: 3 }
    const figures: Figures = { gigabytesPerSecond: copyRate() }
    const points: { readonly prefill: PlotPoint[]; readonly decode: PlotPoint[] } = { prefill: [], decode: [] }
    const step = async (name: string, work: () => Promise<Figures>): Promise<void> => {
      signal.throwIfAborted()
      const found = await work()
      log(
        `${name}: ${Object.entries(found)
          .map(([key, value]) => `${key} ${value.toPrecision(4)}`)
          .join(', ')}`,
      )
      Object.assign(figures, found)
    }
    await step('load', loadFigures)
    const [ours, peer] = [await Reader.start('ours'), await Reader.start('peer')]
    try {
      for (const length of sizes.lengths) {
        await step(`prefill ${length}`, () => prefillFigures(ours, peer, length, sizes, points.prefill))
        await step(`decode after ${length}`, () => decodeFigures(ours, peer, length, sizes, points.decode))
      }
      await step('slope', () => slopeFigures(ours))
      await step('scoring', () => scoringFigures(ours, peer, sizes))
      await step('reuse', () => reuseFigures(ours, quick ? 2 : 5))
      await step('prepack', () => packFigures(ours, quick ? [8, 64] : [1, 8, 32, 64, 128, 200], quick ? 3 : 7))
    } finally {
      await Promise.all([ours.stop(), peer.stop()])
    }
    await step('memory', memoryFigures)
    await step('perplexity', () => perplexityFigures(quick ? 1024 : 2048))
    figures['bandwidthShare'] = ((figures['decode512'] ?? NaN) * tokenBytes) / 1e9 / (figures['gigabytesPerSecond'] ?? NaN)
    return {
      settings: { model: 'smollm2-135m-instruct', peer: 'node-llama-cpp', threads: 2, decodeTokens, weightForm: ours.weightForm },
      figures,
      plots: await drawPlots(points),
      notes: [
        'Ratios are medians over pairs of the peer’s time over ours: above 1, ours is faster; `rssRatio` is our peak memory over the peer’s. ' +
          'The peer only reads the texts that are scored: its scores come as whole distributions. `perplexityDelta` is in mean log-probability.',
      ],
    }
  },
}

/** From the start of loading to the first token after 32, each in a process of its own, with the file in the page cache. */
async function loadFigures(): Promise<Figures> {
  const first = async (kind: 'ours' | 'peer'): Promise<number> => {
    const reader = await Reader.start(kind)
    const seconds = reader.loadSeconds + (await reader.seconds({ tokens: 32 }))
    await reader.stop()
    return seconds
  }
  await first('ours')
  const { ours, peer, ratio } = await alternate(
    2,
    () => first('ours'),
    () => first('peer'),
  )
  return { loadToFirst: ours, peerLoadToFirst: peer, loadToFirstRatio: 1 / ratio }
}

async function prefillFigures(ours: Reader, peer: Reader, length: number, sizes: Sizes, points: PlotPoint[]): Promise<Figures> {
  for (const reader of [ours, peer]) await reader.seconds({ tokens: Math.min(length, 512) })
  const found = await alternate(
    length <= 512 ? sizes.pairs : sizes.longPairs,
    () => ours.seconds({ tokens: length }),
    () => peer.seconds({ tokens: length }),
  )
  return rates('prefill', length, length, found, points)
}

async function decodeFigures(ours: Reader, peer: Reader, fill: number, sizes: Sizes, points: PlotPoint[]): Promise<Figures> {
  const decode = async (reader: Reader): Promise<number> => {
    await reader.seconds({ tokens: fill })
    return await reader.seconds({ decode: decodeTokens })
  }
  const found = await alternate(
    fill <= 512 ? sizes.pairs : sizes.longPairs,
    () => decode(ours),
    () => decode(peer),
  )
  return rates('decode', fill, decodeTokens, found, points)
}

function rates(name: 'prefill' | 'decode', at: number, tokens: number, { ours, peer, ratio }: Alternated, points: PlotPoint[]): Figures {
  const peerName = name === 'prefill' ? 'peerPrefill' : 'peerDecode'
  points.push({ x: at, y: tokens / ours, series: 'ours' }, { x: at, y: tokens / peer, series: 'node-llama-cpp' })
  return { [`${name}${at}`]: tokens / ours, [`${peerName}${at}`]: tokens / peer, [`${name}Ratio${at}`]: ratio }
}

/** Speed of decoding in a cache that once held 4,096 tokens over that in one that never did, both with 512 in it: 1 where room costs nothing. */
async function slopeFigures(ours: Reader): Promise<Figures> {
  const decode = async (grown: boolean): Promise<number> => {
    await ours.seconds({ tokens: grown ? 4096 : 512 })
    await ours.ask({ truncate: 512 })
    return await ours.seconds({ decode: decodeTokens })
  }
  const { ratio } = await alternate(
    2,
    () => decode(true),
    () => decode(false),
  )
  return { decodeSlope: ratio }
}

async function scoringFigures(ours: Reader, peer: Reader, sizes: Sizes): Promise<Figures> {
  const score = { prefix: 1024, texts: 64, tokens: 25 }
  await ours.seconds({ score })
  const found = await alternate(
    Math.max(2, sizes.longPairs),
    () => ours.seconds({ score }),
    () => peer.seconds({ score }),
  )
  return { scoring: found.ratio, scoringSeconds: found.ours, peerScoringSeconds: found.peer }
}

/** Time to the first token of an answer to 32 tokens after 2,048, with those read anew over with those in a cache. */
async function reuseFigures(ours: Reader, pairs: number): Promise<Figures> {
  const ask = (isCached: boolean) => () => ours.seconds({ reuse: { prefix: 2048, question: 32, isCached } })
  await ask(true)()
  const found = await alternate(pairs, ask(true), ask(false))
  return { reuseTtft: found.ratio, reuseSeconds: found.ours, anewSeconds: found.peer }
}

/** Prompts together over one after another, by their length. */
async function packFigures(ours: Reader, lengths: readonly number[], pairs: number): Promise<Figures> {
  const figures: Figures = {}
  for (const tokens of lengths) {
    const pack = (together: boolean) => () => ours.seconds({ pack: { prompts: Math.ceil(1024 / Math.max(8, tokens)), tokens, together } })
    await pack(true)()
    const { ratio } = await alternate(pairs, pack(true), pack(false))
    figures[tokens === 8 ? 'prepack' : `prepack${tokens}`] = ratio
  }
  return figures
}

/** Peak memory of both sides after reading 4,096 tokens and generating some, each in a process that did nothing else. */
async function memoryFigures(): Promise<Figures> {
  const peak = async (kind: 'ours' | 'peer'): Promise<number> => {
    const reader = await Reader.start(kind)
    await reader.seconds({ tokens: 4096 })
    await reader.seconds({ decode: decodeTokens })
    const { peakMegabytes = NaN } = await reader.ask({ peak: true })
    await reader.stop()
    return peakMegabytes
  }
  const [ours, peer] = [await peak('ours'), await peak('peer')]
  return { peakMegabytes: ours, peerPeakMegabytes: peer, rssRatio: ours / peer }
}

/** Mean negative log-probability of the first tokens of Moby-Dick in each arithmetic, less that of an independent float32 implementation. */
async function perplexityFigures(tokens: number): Promise<Figures> {
  const file = new URL('../test/golden/smollm2-135m-instruct.json', import.meta.url)
  const golden = JSON.parse(await readFile(file, 'utf8')) as {
    readonly perplexity: readonly { readonly tokens: number; readonly meanNegativeLogLikelihood: number }[]
  }
  const expected = golden.perplexity.find((one) => one.tokens === tokens)?.meanNegativeLogLikelihood ?? NaN
  const forms = { perplexityDelta: {}, perplexityDeltaFloat32: { readForm: 'float32' }, perplexityDeltaPacked: { denseBytes: 0 } }
  const figures: Figures = {}
  for (const [name, options] of Object.entries(forms)) {
    const reader = await Reader.start('ours', options)
    const { mean = NaN } = await reader.ask({ likelihood: tokens })
    figures[name] = mean - expected
    await reader.stop()
  }
  return figures
}

async function drawPlots({
  prefill,
  decode,
}: {
  readonly prefill: PlotPoint[]
  readonly decode: PlotPoint[]
}): Promise<Record<string, string>> {
  return {
    prefill: await linePlot({ title: 'Prefill by length', x: 'tokens read', y: 'tokens a second', points: prefill }),
    decode: await linePlot({ title: 'Decoding by fill', x: 'tokens in the cache', y: 'tokens a second', points: decode }),
  }
}
