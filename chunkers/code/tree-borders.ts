import type { Node } from 'web-tree-sitter'
import { type Border, createBorderList, GLUED, linesBefore } from './borders.ts'
import { lineBorders } from './line-borders.ts'
import type { Measure } from './measure.ts'
import type { Scope } from './scope.ts'

/** What the walk through a tree goes by. */
export interface TreeBordersOptions {
  readonly scopes: ReadonlySet<string>
  readonly measure: Measure
  readonly maxTokens: number
}

/** A node to look at, with the text up to what comes after it. */
interface Task {
  readonly node: Node
  readonly start: number
  readonly end: number
  readonly depth: number
  /** Whether it belongs to what stands before it. */
  readonly glued: boolean
  readonly scope: Scope | undefined
  /** Where the statement begins that the node is a part of. */
  readonly statement: number
  /** Whether it stays whole; undefined where that is to be found out. */
  readonly isWhole?: boolean | undefined
}

/** Bodies: they belong to the signature before them, and what they hold are statements or members. */
const BODY = /(?:^|_)(?:block|body|body_statement|declaration_list|enumerator_list|variant_list|compound_statement)$/
/** What is never whole by itself: where it does not fit with the line that it hangs on, it is cut inside and not before. */
const HANGING = /(?:^|_)(?:arguments|argument_list)$/
const COMMENT = /comment/
/** What stands in front of a declaration and belongs to it. */
const LEADING = /comment|^(?:decorator|attribute|attribute_item|attribute_list|annotation|access_specifier)$/
/** A leading part larger than this share of the budget stands by itself rather than have what follows it cut. */
const MOST_LEADING = 0.5

/**
 * Where code may be cut: in front of each node of the tree that is as large as fits, deeper only in nodes that do not fit. A comment, a decorator
 * and a signature are one with what follows them, a comment at the end of a line with what stands before it.
 *
 * The split half of cAST (Zhang et al. 2025, arXiv 2506.15655); what it merges, `packBorders` packs.
 */
export function treeBorders(root: Node, text: string, options: TreeBordersOptions): readonly Border[] {
  const list = createBorderList(text)
  const tasks: Task[] = [{ node: root, start: 0, end: text.length, depth: 0, glued: false, scope: undefined, statement: 0 }]
  for (let task = tasks.pop(); task; task = tasks.pop()) {
    const { node, start, end, depth, glued, scope, isWhole = options.measure.fits(start, end) } = task
    list.add({ at: start, rank: depth + (glued ? GLUED : 0), scope })
    if (isWhole) continue
    const groups = groupsOf(text, node)
    // One by one: a list may hold more nodes than a call takes arguments.
    for (const part of partsOf(task, groups, text, options).reverse()) tasks.push(part)
    if (groups.length === 0) for (const border of lineBorders(text, { start, end, rank: depth + 1, scope })) list.add(border)
  }
  return list.borders
}

/** The named children of a node; those in front of another that belong to it are in one group with it. */
function groupsOf(text: string, node: Node): Node[][] {
  const groups: Node[][] = []
  let leading = false
  for (const child of node.namedChildren) {
    const { startIndex: start, type } = child
    const lines = linesBefore(text, start)
    if (groups.length > 0 && lines === 0 && COMMENT.test(type)) continue
    if (leading && lines < 2) groups.at(-1)!.push(child)
    else groups.push([child])
    leading = LEADING.test(type)
  }
  return groups
}

/** The tasks of a node's children, in order. */
function partsOf(parent: Task, groups: readonly Node[][], text: string, { scopes, measure, maxTokens }: TreeBordersOptions): Task[] {
  const { node, depth } = parent
  const holdsStatements = depth === 0 || BODY.test(node.type)
  const scope = scopes.has(node.type) ? { start: parent.statement, body: bodyOf(node, text), outer: parent.scope } : parent.scope
  return groups.flatMap((group, place) => {
    const end = groups[place + 1]?.[0]!.startIndex ?? parent.end
    const follows = place === 0 && depth > 0
    const part = (member: Node, to: number, glued: boolean, isWhole?: boolean): Task => ({
      node: member,
      start: member.startIndex,
      end: to,
      depth: depth + 1,
      glued: glued || BODY.test(member.type) || linesBefore(text, member.startIndex) === 0,
      scope,
      statement: holdsStatements || group.length > 1 ? member.startIndex : parent.statement,
      isWhole,
    })
    const first = group[0]!
    const main = group.at(-1)!
    if (group.length === 1) return [part(main, end, follows, BODY.test(main.type) || HANGING.test(main.type) ? false : undefined)]
    if (measure.fits(first.startIndex, end)) return [part(first, end, follows, true)]
    const cutsMain = measure.estimate(first.startIndex, main.startIndex) <= MOST_LEADING * maxTokens
    return group.map((member, at) =>
      part(member, group[at + 1]?.startIndex ?? end, at > 0 || follows, member === main && cutsMain ? false : undefined),
    )
  })
}

/** Where the body of a class or a function begins, or a comment in front of it; the end of its first line where the grammar has none. */
function bodyOf(node: Node, text: string): number {
  const body = node.childForFieldName('body') ?? node.namedChildren.find(({ type }) => BODY.test(type))
  if (body) return Math.min(body.startIndex, node.namedChildren.find(({ type }) => COMMENT.test(type))?.startIndex ?? Infinity)
  const line = text.indexOf('\n', node.startIndex)
  return line < 0 ? node.endIndex : Math.min(line, node.endIndex)
}
