import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // Models run in threads of their own and native modules are loaded: a process a file keeps one crash from ending the others.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

export default config
