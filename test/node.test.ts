import { together } from './helpers/together.ts'

await together('node')
