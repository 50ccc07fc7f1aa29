/** The tables of `chunking`'s report. */
import { mean } from 'simple-statistics'
import { type At, meanAt, type Mode, MODES, type SystemRun, TOP } from './chunking-runs.ts'
import { number, table } from './report.ts'

export function chunkingNotes(runs: readonly SystemRun[], budgets: readonly number[]): string[] {
  return [
    `Recall, precision and IoU in percent, means over the questions. \`at ${TOP}\`: the ${TOP} best chunks. At a budget: the best chunks as far as the tokens go, each text once, the last one cut. PrecisionΩ: with all chunks that touch a reference.`,
    ...(Object.keys(MODES) as Mode[]).map((mode) => `## ${mode}\n\n${modeTable(runs, mode, budgets)}`),
  ]
}

function modeTable(runs: readonly SystemRun[], mode: Mode, budgets: readonly number[]): string {
  const head = [
    'chunker',
    'units',
    'mean tokens',
    'PrecisionΩ',
    `tokens at ${TOP}`,
    `recall at ${TOP}`,
    `precision at ${TOP}`,
    `IoU at ${TOP}`,
    ...budgets.flatMap((budget) => [`recall, ${budget} tokens`, `IoU, ${budget} tokens`]),
  ]
  return table(
    head,
    runs.map((run) => {
      const percent = (at: At, name: 'recall' | 'precision' | 'iou'): string => (100 * meanAt(run, mode, at)[name]).toFixed(1)
      return [
        run.system.name,
        number(run.units),
        run.tokens.toFixed(0),
        (100 * mean(run.questions.map(({ omega }) => omega))).toFixed(1),
        meanAt(run, mode, 'top').tokens.toFixed(0),
        percent('top', 'recall'),
        percent('top', 'precision'),
        percent('top', 'iou'),
        ...budgets.flatMap((budget) => [percent(budget, 'recall'), percent(budget, 'iou')]),
      ]
    }),
  )
}
