/** File systems of a test's own, where the machine lets us mount one. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const canMount: boolean = ((): boolean => {
  const place = mkdtempSync(join(tmpdir(), 'mount-'))
  const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', place]).status === 0
  if (mounted) execFileSync('umount', [place])
  rmSync(place, { recursive: true })
  return mounted
})()

/** Mounts in a new folder of `folder`, with tmpfs options such as `size=1m,ro`; returns its path. */
export function mountDisk(folder: string, options: string): string {
  const place = mkdtempSync(join(folder, 'mount-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place])
  return place
}

export function unmountDisk(place: string): void {
  execFileSync('umount', [place])
}
