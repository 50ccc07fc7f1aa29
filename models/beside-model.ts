/** Where what was measured of a model lies: beside it, under its name. */
export function besideModel(path: string, ending: 'heads.json' | 'bias.json'): string {
  return `${path.replace(/\.gguf$/i, '')}.${ending}`
}
