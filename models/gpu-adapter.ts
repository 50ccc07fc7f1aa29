/** What WebGPU would run on in Node, where nothing lists adapters: on Linux the Vulkan drivers that are installed or chosen say it. */
import { readdir } from 'node:fs/promises'
import { basename, delimiter } from 'node:path'
import type { GpuAdapter } from '../attention/index.ts'

const driverFolders = ['/etc/vulkan/icd.d', '/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']

/** Names of drivers that compute on the CPU. */
const softwareDrivers = /swiftshader|lvp_icd|lavapipe|llvmpipe/i

/**
 * Undefined where no driver is known: then only a trial can tell.
 *
 * @param folders where drivers that are installed say so, one JSON file each
 */
export async function findAdapter(
  environment: NodeJS.ProcessEnv = process.env,
  folders: readonly string[] = process.platform === 'linux' ? driverFolders : [],
): Promise<GpuAdapter | undefined> {
  const chosen = environment['VK_DRIVER_FILES'] ?? environment['VK_ICD_FILENAMES']
  const drivers = chosen === undefined ? await installedDrivers(folders) : chosen.split(delimiter)
  const [first] = drivers
  if (first === undefined) return undefined
  const real = drivers.find((driver) => !softwareDrivers.test(driver))
  return { name: basename(real ?? first), isSoftware: real === undefined }
}

async function installedDrivers(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))
  return found.flat().filter((name) => name.endsWith('.json'))
}
