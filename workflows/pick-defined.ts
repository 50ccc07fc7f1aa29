/** The named fields of an object that have a value, as `exactOptionalPropertyTypes` wants optional ones to be absent. */
export function pickDefined<T extends object, K extends keyof T>(object: T, names: readonly K[]): { [N in K]?: Exclude<T[N], undefined> } {
  const found = names.flatMap((name) => (object[name] === undefined ? [] : [[name, object[name]] as const]))
  return Object.fromEntries(found) as { [N in K]?: Exclude<T[N], undefined> }
}
