import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/tables/postgresql.ts',
  out: './drizzle/postgresql',
})
