/** Logging: pino's interface, injected, silent by default. */
export { type Logger, silent } from './logger.ts'
