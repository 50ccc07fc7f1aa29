/** Pictures of a report, as SVG text: no browser, no canvas. */
import { type Config, compile, type TopLevelSpec } from 'vega-lite'
import { parse, View } from 'vega'

/** One point of a picture. */
export interface PlotPoint {
  readonly x: number | string
  readonly y: number
  /** Which line or group of bars it belongs to. */
  readonly series?: string
  /** Ends of an interval around y. */
  readonly low?: number
  readonly high?: number
}

export interface PlotOptions {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly points: readonly PlotPoint[]
  /** Whether the y axis begins at zero; yes by default. */
  readonly zero?: boolean
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number]
type PositionFieldDef = { field: string; type: 'quantitative' | 'nominal'; title: string; axis: { labelAngle: number } }

const LOOK: Config = { view: { stroke: 'transparent' }, axis: { grid: true, gridOpacity: 0.4 }, background: 'white' }
const SIZE = { width: 480, height: 260 }

/** Lines over a numeric x axis. */
export function linePlot(options: PlotOptions): Promise<string> {
  return draw(options, 'quantitative', 'line')
}

/** Bars over named groups, with their intervals where points have them. */
export function barPlot(options: PlotOptions): Promise<string> {
  return draw(options, 'nominal', 'bar')
}

async function draw(options: PlotOptions, xType: 'quantitative' | 'nominal', mark: 'line' | 'bar'): Promise<string> {
  const { title, x, y, points, zero = true } = options
  const hasSeries = points.some(({ series }) => series !== undefined)
  const xAxis: PositionFieldDef = { field: 'x', type: xType, title: x, axis: { labelAngle: 0 } }
  const offset = hasSeries && xType === 'nominal' ? { xOffset: { field: 'series' } } : {}
  const color = hasSeries ? { color: { field: 'series', type: 'nominal', title: null } as const } : {}
  const main: Layer = {
    mark,
    encoding: { x: xAxis, y: { field: 'y', type: 'quantitative', title: y, scale: { zero } }, ...offset, ...color },
  }
  const whiskers: Layer = {
    mark: 'rule',
    encoding: { x: xAxis, y: { field: 'low', type: 'quantitative', title: y }, y2: { field: 'high' }, ...offset },
  }
  const layer = points.some(({ low }) => low !== undefined) ? [main, whiskers] : [main]
  const spec: TopLevelSpec = { ...SIZE, title, data: { values: [...points] }, layer, config: LOOK }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
