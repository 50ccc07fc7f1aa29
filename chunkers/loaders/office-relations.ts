import { posix } from 'node:path'
import { parseXml } from './parse-xml.ts'
import type { Archive } from './unzip.ts'

/** What a part of an office file refers to. */
export interface Relation {
  readonly id: string
  /** Last word of its type: `slide`, `notesSlide`, `image`. */
  readonly type: string
  /** Name of the part in the archive. */
  readonly target: string
}

/** The relations of a part, from the `_rels` folder beside it (ECMA-376, part 2, 9.3); targets outside the archive are left out. */
export function relationsOf(archive: Archive, part: string, source: string): Relation[] {
  const folder = posix.dirname(part)
  const name = posix.join(folder, '_rels', `${posix.basename(part)}.rels`)
  const bytes = archive.file(name)
  if (!bytes) return []
  const relations: Relation[] = []
  parseXml(
    bytes,
    { source, part: name },
    {
      open(element, { Id, Type, Target, TargetMode }) {
        if (element !== 'Relationship' || !Id || !Type || !Target || TargetMode === 'External') return
        const target = Target.startsWith('/') ? Target.slice(1) : posix.join(folder, Target)
        relations.push({ id: Id, type: posix.basename(Type), target })
      },
    },
  )
  return relations
}
