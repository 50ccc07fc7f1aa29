/** The part of pino's interface that the library uses; a pino logger fits as it is. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** The default: nothing is written. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
